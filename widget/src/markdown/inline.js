/**
 * Inline constructs: emphasis, code, links, line breaks, entities.
 *
 * What means nothing but itself is passed on at once. A character that may begin a construct is
 * held back, with all that follows, until that is settled:
 *
 * - code, links and addresses: until they are complete. Before that they do not exist;
 * - emphasis: until something that can close it is seen. Bold and deleted words that begin as a
 *   word does are opened at once: most answers are full of them, and practically all are closed.
 *   One that is not lasts until its paragraph ends;
 * - escapes, entities and line breaks: one to six characters.
 *
 * What is not settled when the paragraph ends, or within HOLD characters (ADDRESS_HOLD where an
 * address is being read), was none: its first character is text, and the rest is looked at anew.
 */

import { findBracket, readAngle, readBare, readTarget } from './addresses.js';
import { canClose, canOpen, kindOf } from './characters.js';
import { createSpans } from './spans.js';

/** @typedef {import('../markdown.js').Renderer} Renderer */

/**
 * @typedef {object} Inline
 * @property {(character: string) => void} feed one character, `\n` between the lines of a paragraph
 * @property {() => void} end the paragraph ends: passes on what is held back and closes what is open
 */

const HOLD = 256;
const ADDRESS_HOLD = 2048;
/** A rule's answer when it needs more text. All others are how many characters it dealt with. */
const WAIT = 0;

const SPECIAL = /[\\`*_~[!<&h \t\n]/;
const ORDINARY = /^[^\\`*_~[!<&h \t\n]+/;
const ESCAPABLE = /[!-/:-@[-`{-~]/;
const ENTITIES = new Map([['amp', '&'], ['lt', '<'], ['gt', '>'], ['quot', '"'], ['#39', "'"], ['nbsp', '\u00a0']]);

/**
 * A reader of paragraphs, one after the other.
 *
 * @param {Renderer} output
 * @param {boolean} [isInLink] there are no links in links
 * @param {number} [depth] how many spans are open around it
 * @returns {Inline}
 */
export function createInline(output, isInLink = false, depth = 0) {
  const spans = createSpans(output, depth);
  let held = '';
  /** The character before the held ones; a line end where there is none. */
  let before = '\n';
  /** How much of the held text is known not to settle its first character. */
  let seen = 0;
  let limit = HOLD;
  let isEnded = false;

  function settle() {
    while (held) {
      limit = HOLD;
      let length = readNext();
      if (length === WAIT) {
        if (!isEnded && held.length <= limit) return;
        length = put(1);
      }
      held = held.slice(length);
      seen = 0;
    }
  }

  function readNext() {
    switch (held[0]) {
      case '\\': return readEscape();
      case '`': return readCode();
      case '*': case '_': case '~': return readDelimiters();
      case '!': case '[': return readLink();
      case '<': return readAngleBracket();
      case '&': return readEntity();
      case 'h': return readAddress();
      case ' ': case '\t': return readBlanks();
      case '\n': return put(1);
      default: return put(runLength(ORDINARY));
    }
  }

  /** @param {RegExp} pattern of something that is there */
  function runLength(pattern) {
    return /** @type {RegExpExecArray} */ (pattern.exec(held))[0].length;
  }

  /**
   * Held characters that mean themselves.
   * @param {number} length
   */
  function put(length) {
    output.text(held.slice(0, length));
    before = lastOf(held, length);
    return length;
  }

  /** @param {number} length of its syntax */
  function breakLine(length) {
    output.open('br');
    output.close();
    before = '\n';
    return length;
  }

  function readBlanks() {
    const length = runLength(/^[ \t]+/);
    if (length === held.length) {
      // Two of them tell all there is to tell; at the end of a paragraph they are nothing.
      held = held.slice(0, 2);
      return isEnded ? length : WAIT;
    }
    if (held[length] === '\n') return length > 1 ? breakLine(length + 1) : length;
    return before === '\n' ? length : put(length);
  }

  function readEscape() {
    const [, escaped] = held;
    if (!escaped) return WAIT;
    if (escaped === '\n') return breakLine(2);
    if (!ESCAPABLE.test(escaped)) return put(1);
    output.text(escaped);
    // Not the character itself, which would make it part of a run of delimiters.
    before = '\\';
    return 2;
  }

  function readEntity() {
    const [whole = '', name = ''] = /^&(#39|[a-z]{2,4});/.exec(held) ?? [];
    const character = ENTITIES.get(name);
    if (!character) return /^&(?:#3?9?|[a-z]{0,4})$/.test(held) ? WAIT : put(1);
    output.text(character);
    before = character;
    return whole.length;
  }

  /**
   * The next run of a mark, if it is complete.
   * @param {string} mark
   * @param {number} from
   */
  function findRun(mark, from) {
    const at = held.indexOf(mark, Math.max(from, seen));
    if (at < 0) {
      seen = held.length;
      return null;
    }
    let end = at;
    while (held[end] === mark) end++;
    seen = at;
    return end < held.length || isEnded ? { at, end, width: end - at } : null;
  }

  function readCode() {
    if (before === '`') return put(1);
    const width = runLength(/^`+/);
    let run = findRun('`', width);
    while (run && run.width !== width) {
      seen = run.end;
      run = findRun('`', run.end);
    }
    if (!run) return WAIT;
    const code = held.slice(width, run.at).replaceAll('\n', ' ');
    output.open('code');
    output.text(/^ .*[^ ].* $/.test(code) ? code.slice(1, -1) : code);
    output.close();
    before = '`';
    return run.end;
  }

  function readDelimiters() {
    const mark = held.charAt(0);
    // The rest of a run whose beginning was text.
    if (before === mark) return put(1);
    const width = runLength(/^(.)\1*/);
    if (width === held.length && !isEnded) return WAIT;
    const after = firstFrom(held, width);
    const closed = canClose(mark, before, after) ? spans.close(mark, width) : 0;
    if (!closed) return openSpans(mark, width, after);
    before = mark;
    return closed;
  }

  /**
   * @param {string} mark
   * @param {number} width
   * @param {string} after
   */
  function openSpans(mark, width, after) {
    if (!spans.hasRoom(mark, width) || !canOpen(mark, before, after)) return put(width);
    const isWordStart = kindOf(after) !== 'sign' && /blank|east/.test(kindOf(before));
    if (!(width > 1 && isWordStart) && !hasCloser(mark, width)) return WAIT;
    spans.open(mark, width);
    before = mark;
    return width;
  }

  /**
   * @param {string} mark
   * @param {number} width
   */
  function hasCloser(mark, width) {
    for (let run = findRun(mark, width); run; run = findRun(mark, run.end)) {
      seen = run.end;
      const fits = width === 1 ? run.width !== 2 : run.width > 1;
      const isEscaped = held[run.at - 1] === '\\';
      if (fits && !isEscaped && canClose(mark, lastOf(held, run.at), firstFrom(held, run.end))) return true;
    }
    return false;
  }

  function readLink() {
    const start = held[0] === '!' ? 1 : 0;
    if (start === held.length) return WAIT;
    if (held[start] !== '[') return put(1);
    const end = findBracket(held, start);
    if (end === undefined || held.length === end + 1) return WAIT;
    if (held[end + 1] !== '(') return put(1);
    const target = readTarget(held.slice(end + 1));
    limit = ADDRESS_HOLD;
    if (!target) return target === null ? put(1) : WAIT;
    const inner = createInline(output, true, spans.count());
    return putLink(target, end + 1 + target.length, () => {
      for (const character of held.slice(start + 1, end)) inner.feed(character);
      inner.end();
    });
  }

  function readAngleBracket() {
    const [lineBreak] = /^<br ?\/?>/i.exec(held) ?? [];
    if (lineBreak) return breakLine(lineBreak.length);
    const link = readAngle(held);
    limit = ADDRESS_HOLD;
    if (!link) return link === undefined || /^<br \/?$/i.test(held) ? WAIT : put(1);
    return putLink(link, link.length, () => output.text(link.label));
  }

  function readAddress() {
    if (isInLink || /\w/.test(before)) return put(1);
    const address = readBare(held, isEnded);
    limit = ADDRESS_HOLD;
    if (!address) return address === null ? put(1) : WAIT;
    return putLink({ href: address }, address.length, () => output.text(address));
  }

  /**
   * @param {{href: string, title?: string}} target
   * @param {number} length of its syntax
   * @param {() => void} putLabel
   */
  function putLink({ href, title = '' }, length, putLabel) {
    if (!isInLink) output.open('a', { href, title });
    putLabel();
    if (!isInLink) output.close();
    before = lastOf(held, length);
    return length;
  }

  return {
    feed(character) {
      if (held || SPECIAL.test(character)) {
        held += character;
        settle();
      } else {
        output.text(character);
        before = character;
      }
    },
    end() {
      isEnded = true;
      settle();
      spans.closeAll();
      isEnded = false;
      before = '\n';
    },
  };
}

/**
 * The character that ends at a place in a text.
 * @param {string} text
 * @param {number} end
 */
function lastOf(text, end) {
  return text.slice(/[\udc00-\udfff]/.test(text.charAt(end - 1)) ? end - 2 : end - 1, end);
}

/**
 * The character that begins at a place in a text; a line end where there is none.
 * @param {string} text
 * @param {number} start
 */
function firstFrom(text, start) {
  return String.fromCodePoint(text.codePointAt(start) ?? 10);
}
