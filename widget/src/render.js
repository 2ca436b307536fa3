import { hostToShow, readLink } from './links.js';

/** What is shown of a code block, in UTF-16 units. Copying gives all of it. */
export const MAX_CODE = 20 * 1024;
const MAX_LEVEL = 6;
const TEXT_NODE = 3;

/** @typedef {import('./markdown.js').Renderer} Renderer */

/**
 * @typedef {object} RendererOptions
 * @property {Pick<Document, 'createElement' | 'createTextNode' | 'getSelection'>} document
 * @property {Pick<import('./types.js').Strings, 'code' | 'copy' | 'copied' | 'notShown' | 'table'>} strings
 * @property {(code: string) => Promise<void>} [onCopy] by default to the clipboard; when it fails the code is
 *   selected instead
 * @property {number} [headingShift] what is added to a heading's level, which stays at 6 at most
 */

/**
 * An element that is not closed yet: where its text goes, and what is left to do.
 *
 * @typedef {object} OpenElement
 * @property {Element} element
 * @property {(text: string) => string} [admit] the part of its text that is shown
 * @property {() => void} [finish]
 */

/**
 * Renders markdown into `root`.
 *
 * Elements come from createElement, text from text nodes: no HTML string exists. No name of an
 * element or attribute is the model's, and of its words only a link's checked address and its
 * title become attributes. What was added is neither changed nor taken away, and text goes on in
 * the text node where it ended, so a selection survives.
 *
 * @param {Element} root
 * @param {RendererOptions} options
 * @returns {Renderer}
 */
export function createRenderer(root, { document, strings, onCopy = writeClipboard, headingShift = 2 }) {
  /** @type {[OpenElement, ...OpenElement[]]} */
  const open = [{ element: root }];

  /**
   * @param {string} tag
   * @param {Record<string, string>} [attributes]
   * @param {...(Node | string)} children
   */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  function innermost() {
    return open[open.length - 1] ?? open[0];
  }

  /**
   * Text and elements go into `entered` from now on.
   * @param {Element} outermost of what is added: `entered`, or what holds it
   * @param {OpenElement} entered
   */
  function add(outermost, entered) {
    innermost().element.append(outermost);
    open.push(entered);
  }

  /** @param {string} text */
  function write(text) {
    const { element, admit } = innermost();
    const shown = admit ? admit(text) : text;
    const last = element.lastChild;
    if (last?.nodeType === TEXT_NODE) /** @type {Text} */ (last).appendData(shown);
    else if (shown) element.append(document.createTextNode(shown));
  }

  /**
   * @param {string} address
   * @param {string} title
   */
  function addLink(address, title) {
    const link = readLink(address);
    if (!link) {
      // Its text stays text.
      open.push({ element: innermost().element });
      return;
    }
    const element = make('a', { href: link.href, rel: 'noopener noreferrer nofollow ugc', target: '_blank' });
    if (title) element.setAttribute('title', title);
    add(element, { element, finish });

    function finish() {
      if (!element.textContent.trim()) write(link?.href ?? '');
      const host = hostToShow(element.textContent, link?.host ?? '');
      if (host) element.append(make('span', { class: 'host' }, ` (${host})`));
    }
  }

  /** @param {string} language */
  function addCode(language) {
    const code = make('code');
    const copy = make('button', { type: 'button', class: 'copy' }, strings.copy);
    const head = make('figcaption', {}, make('span', {}, language || strings.code), copy);
    const figure = make('figure', { class: 'code' }, head, make('pre', { tabindex: '0' }, code));
    let whole = '';
    let isCut = false;
    add(figure, { element: code, admit });

    /** @param {string} text */
    function admit(text) {
      const room = Math.max(0, MAX_CODE - whole.length);
      whole += text;
      if (text.length <= room) return text;
      if (!isCut) figure.append(make('p', { class: 'notice' }, strings.notShown));
      isCut = true;
      return text.slice(0, room).replace(/[\ud800-\udbff]$/, '');
    }

    copy.addEventListener('click', () => void copyCode(copy, code, whole));
    // The word goes back when the visitor turns away.
    for (const type of ['blur', 'pointerleave']) {
      copy.addEventListener(type, () => {
        copy.textContent = strings.copy;
      });
    }
  }

  /**
   * @param {Element} button
   * @param {Element} code
   * @param {string} whole
   */
  async function copyCode(button, code, whole) {
    try {
      await onCopy(whole);
      button.textContent = strings.copied;
    } catch {
      document.getSelection()?.selectAllChildren(code);
    }
  }

  function addTable() {
    const table = make('table');
    const attributes = { class: 'table', role: 'group', tabindex: '0', 'aria-label': strings.table };
    add(make('div', attributes, table), { element: table });
  }

  /**
   * @param {string} tag
   * @param {Record<string, string>} [attributes]
   */
  function addPlain(tag, attributes) {
    const element = make(tag, attributes);
    add(element, { element });
  }

  return {
    open(type, { level = 1, start = 1, language = '', align = '', href = '', title = '' } = {}) {
      const cell = align ? { 'data-align': align } : {};
      if (type === 'a') addLink(href, title);
      else if (type === 'pre') addCode(language);
      else if (type === 'table') addTable();
      else if (type === 'h') addPlain(`h${Math.min(level + headingShift, MAX_LEVEL)}`);
      else if (type === 'ol') addPlain('ol', start === 1 ? {} : { start: String(start) });
      else if (type === 'th') addPlain('th', { scope: 'col', ...cell });
      else if (type === 'td') addPlain('td', cell);
      else if (type === 'notice') addPlain('p', { class: 'notice' });
      else addPlain(type);
      if (type === 'notice') write(strings.notShown);
    },
    close() {
      innermost().finish?.();
      open.pop();
    },
    text: write,
  };
}

/** @param {string} text */
function writeClipboard(text) {
  return navigator.clipboard.writeText(text);
}
