import { hostToShow, readLink } from './links.js';

/** What is shown of a code block, in UTF-16 units. Copying gives all of it. */
export const MAX_CODE = 20 * 1024;
const TEXT_NODE = 3;

/** @typedef {import('./markdown.js').Renderer} Renderer */

/**
 * @typedef {object} RendererOptions
 * @property {Pick<Document, 'createElement' | 'createTextNode' | 'getSelection'>} document
 * @property {Pick<import('./types.js').Strings, 'code' | 'copy' | 'copied' | 'notShown' | 'table'>} strings
 * @property {(code: string) => Promise<void>} onCopy where it fails the code is selected instead
 * @property {number} [headingShift] what is added to a heading's level, which stays at 6 at most
 */

/**
 * Where text goes.
 *
 * @typedef {object} Place
 * @property {Element} element
 * @property {(text: string) => string} admit gives the part of it that is shown
 * @property {() => void} finish does what is left to do when the element is closed
 */

/** @param {string} text */
const all = (text) => text;
const nothing = () => {};

/**
 * Renders markdown into `root`.
 *
 * Elements come from createElement, text from text nodes: no HTML string exists. No name of an
 * element or attribute is the model's, and of its words only a link's checked address becomes an
 * attribute. What was added is neither changed nor taken away, and text goes on in the text node
 * where it ended, so a selection survives.
 *
 * @param {Element} root
 * @param {RendererOptions} options
 * @returns {Renderer}
 */
export function createRenderer(root, { document, strings, onCopy, headingShift = 2 }) {
  /** @type {Place} */
  let place = { element: root, admit: all, finish: nothing };
  /** @type {Place[]} */
  const outer = [];

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

  /**
   * Text and elements go into `element` from now on.
   * @param {Element} element
   * @param {Element} [outermost] of what is added, if that holds the element
   * @param {Place['admit']} [admit]
   * @param {Place['finish']} [finish]
   */
  function enter(element, outermost = element, admit = all, finish = nothing) {
    place.element.append(outermost);
    outer.push(place);
    place = { element, admit, finish };
  }

  /** @param {string} text */
  function write(text) {
    const shown = place.admit(text);
    const last = place.element.lastChild;
    if (last?.nodeType === TEXT_NODE) /** @type {Text} */ (last).appendData(shown);
    else place.element.append(document.createTextNode(shown));
  }

  /** @param {string} address */
  function enterLink(address) {
    const link = readLink(address);
    if (!link) {
      // Its text is text.
      outer.push(place);
      return;
    }
    const element = make('a', { href: link.href, rel: 'noopener noreferrer nofollow ugc', target: '_blank' });
    enter(element, element, all, () => {
      if (!element.textContent.trim()) write(link.href);
      const host = hostToShow(element.textContent, link.host);
      if (host) element.append(make('span', { class: 'host' }, ` (${host})`));
    });
  }

  /** @param {string} language */
  function enterCode(language) {
    const element = make('code');
    const copy = make('button', { type: 'button', class: 'copy' }, strings.copy);
    const caption = make('figcaption', {}, make('span', {}, language || strings.code), copy);
    const figure = make('figure', { class: 'code' }, caption, make('pre', { tabindex: '0' }, element));
    let code = '';
    enter(element, figure, (text) => {
      const room = MAX_CODE - code.length;
      code += text;
      if (text.length <= room) return text;
      // The first time only: afterwards there is less than no room.
      if (room >= 0) figure.append(make('p', { class: 'notice' }, strings.notShown));
      return text.slice(0, Math.max(room, 0)).replace(/[\ud800-\udbff]$/, '');
    });
    copy.addEventListener('click', () => void copyCode(copy, element, code));
    // The word goes back when the visitor turns away.
    for (const type of ['blur', 'pointerleave']) {
      copy.addEventListener(type, () => {
        copy.textContent = strings.copy;
      });
    }
  }

  /**
   * @param {Element} button
   * @param {Element} element
   * @param {string} code
   */
  async function copyCode(button, element, code) {
    try {
      await onCopy(code);
      button.textContent = strings.copied;
    } catch {
      document.getSelection()?.selectAllChildren(element);
    }
  }

  function enterTable() {
    const element = make('table');
    const attributes = { class: 'table', role: 'group', tabindex: '0', 'aria-label': strings.table };
    enter(element, make('div', attributes, element));
  }

  return {
    open(type, detail = '') {
      if (type === 'a') enterLink(detail);
      else if (type === 'pre') enterCode(detail);
      else if (type === 'table') enterTable();
      else if (type === 'h') enter(make(`h${Math.min(detail.length + headingShift, 6)}`));
      else if (type === 'notice') enter(make('p', { class: 'notice' }, strings.notShown));
      else enter(make(type, attributesOf(type, detail)));
    },
    close() {
      place.finish();
      place = /** @type {Place} */ (outer.pop());
    },
    text: write,
  };
}

/**
 * @param {import('./markdown.js').ElementType} type
 * @param {string} detail
 * @returns {Record<string, string>}
 */
function attributesOf(type, detail) {
  if (type === 'ol') return Number(detail) === 1 ? {} : { start: String(Number(detail)) };
  const scope = type === 'th' ? { scope: 'col' } : {};
  return detail ? { ...scope, 'data-align': detail } : scope;
}
