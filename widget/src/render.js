import { make, makeButton } from './dom.js';
import { hostToShow, readLink } from './links.js';

/** What is shown of a code block, in UTF-16 units. Copying gives all of it. */
export const MAX_CODE = 20 * 1024;
const TEXT_NODE = 3;

/** @typedef {import('./markdown.js').Renderer} Renderer */

/** @typedef {Pick<import('./types.js').Strings, 'code' | 'copy' | 'copied' | 'notShown' | 'table'>} RendererWords */

/** @param {string} code */
const toClipboard = (code) => navigator.clipboard.writeText(code);

/** The deepest heading that there is, and the panel's own one. */
const DEEPEST_HEADING = 6;
const PANEL_HEADING = 2;

/**
 * Where text goes: the element, what gives the part of it that is shown, and what is left to do
 * when the element is closed.
 *
 * @typedef {[element: Element, admit?: ((shown: string) => string) | undefined, end?: (() => void) | undefined]} Place
 */

/**
 * Renders markdown into `root`.
 *
 * Elements come from createElement, text from text nodes: no HTML string exists. No name of an
 * element or attribute is the model's, and of its words only a link's checked address becomes an
 * attribute. What was added is neither changed nor taken away, and text goes on in the text node
 * where it ended, so a selection survives.
 *
 * @param {Element} root
 * @param {RendererWords} strings
 * @param {(code: string) => Promise<void>} [onCopy] where it fails the code is selected instead
 * @returns {Renderer}
 */
export function createRenderer(root, strings, onCopy = toClipboard) {
  let [element, admit, finish] = /** @type {Place} */ ([root]);
  /** @type {Place[]} */
  const outer = [];
  /** The marks of the headings that the last one stands below, and its own. @type {string[]} */
  let headings = [];

  function makeNotice() {
    return make('p', 'notice', {}, strings.notShown);
  }

  /** Text and elements go into another place from now on.
   * @param {Place} place
   * @param {Element} outermost of what is added: the place's element, or what holds it
   */
  function enter(place, outermost = place[0]) {
    element.append(outermost);
    outer.push([element, admit, finish]);
    [element, admit, finish] = place;
  }

  /** @param {string} text */
  function write(text) {
    const shown = admit ? admit(text) : text;
    const last = element.lastChild;
    if (last?.nodeType === TEXT_NODE) /** @type {Text} */ (last).appendData(shown);
    else element.append(shown);
  }

  /** @param {string} address */
  function enterLink(address) {
    const link = readLink(address);
    // The text of none is text.
    if (!link) return outer.push([element, admit, finish]);
    const { href, host } = link;
    const anchor = make('a', '', { href, rel: 'noopener noreferrer nofollow ugc', target: '_blank' });
    const tellHost = () => {
      if (!anchor.textContent.trim()) write(href);
      const told = hostToShow(anchor.textContent, host);
      if (told) anchor.append(make('span', 'host', {}, ` (${told})`));
    };
    return enter([anchor, undefined, tellHost]);
  }

  /** @param {string} language */
  function enterCode(language) {
    const box = make('code');
    const copy = makeButton('copy', () => void copyCode(copy, box, code), strings.copy);
    const caption = make('figcaption', '', {}, make('span', '', {}, language || strings.code), copy);
    const figure = make('figure', 'code', {}, caption, make('pre', '', { tabindex: '0', dir: 'ltr' }, box));
    let code = '';
    /** @param {string} text */
    const cut = (text) => {
      const room = MAX_CODE - code.length;
      code += text;
      // The first time only: afterwards there is less than no room.
      if (room >= 0 && text.length > room) figure.append(makeNotice());
      return text.slice(0, Math.max(room, 0)).replace(/[\ud800-\udbff]$/, '');
    };
    enter([box, cut], figure);
    // The word goes back when the visitor turns away.
    for (const type of ['blur', 'pointerleave']) {
      copy.addEventListener(type, () => {
        copy.textContent = strings.copy;
      });
    }
  }

  /**
   * @param {Element} button
   * @param {Element} box
   * @param {string} code
   */
  async function copyCode(button, box, code) {
    try {
      await onCopy(code);
      button.textContent = strings.copied;
    } catch {
      document.getSelection()?.selectAllChildren(box);
    }
  }

  function enterTable() {
    const table = make('table');
    const attributes = { role: 'group', tabindex: '0', 'aria-label': strings.table };
    enter([table], make('div', 'table', attributes, table));
  }

  // Models begin at any level and skip some: a heading is one level below the one that it belongs to.
  /** @param {string} marks */
  function enterHeading(marks) {
    headings = [...headings.filter((each) => each < marks), marks];
    enter([make(/** @type {'h3'} */ (`h${Math.min(PANEL_HEADING + headings.length, DEEPEST_HEADING)}`))]);
  }

  return {
    open(type, detail = '') {
      if (type === 'a') enterLink(detail);
      else if (type === 'pre') enterCode(detail);
      else if (type === 'table') enterTable();
      else if (type === 'h') enterHeading(detail);
      else if (type === 'notice') enter([makeNotice()]);
      else enter([make(type, '', attributesOf(type, detail))]);
    },
    close() {
      finish?.();
      [element, admit, finish] = /** @type {Place} */ (outer.pop());
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
  if (type === 'ol') return { start: detail };
  // Nor does code have a say in the direction of the text around it.
  return { scope: type === 'th' ? 'col' : '', 'data-align': detail, dir: type === 'code' ? 'ltr' : '' };
}
