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

import {
  ADDRESS, ANGLE, BLANKS, CODE, DELIMITERS, END, ENTITY, ESCAPE, LINK, NO_ADDRESS, NO_ANGLE, NO_ENTITY, NO_ESCAPE,
  NO_LINK,
} from './patterns.js';
import { endSpans, putDelimiters } from './spans.js';

/** @typedef {import('../markdown.js').Renderer} Renderer */

/**
 * A paragraph as far as it was read.
 *
 * @typedef {object} Paragraph
 * @property {Renderer} output
 * @property {string} held what is held back
 * @property {string} before the character before that; a line end where there is none
 * @property {string[]} spans the delimiters of the emphasis that is open
 * @property {number} seen how many of the held characters contain no delimiters that can close something
 * @property {RegExp} wake see Rule
 * @property {number} hold how much may be held back
 * @property {number} depth how many spans and links it is in; 0 if it is no link's label
 */

/**
 * How to read a construct: what it begins with; what it looks like when it is complete; what puts
 * it out then, which gives how many of the held characters that took, or 0 when more have to be
 * seen; the last held character and a token behind it that may settle it, so that no other token
 * costs time; what it looks like when it cannot become complete.
 *
 * @typedef {(paragraph: Paragraph, match: RegExpExecArray) => number} Put
 * @typedef {readonly [starts: string, whole: RegExp, put: Put, wake: RegExp, never?: RegExp]} Rule
 */

const HOLD = 256;
const ADDRESS_HOLD = 1024;

const SPECIAL = /[\\`*_~[!<& \t\n\x03]|^h/;
const PLAIN = /^(?:[^\\`*_~[!<&h \t\n\x03]+|([`*_~])\1*|[^])/;
const ENTITIES = new Map([['amp', '&'], ['lt', '<'], ['gt', '>'], ['quot', '"'], ['#39', "'"], ['nbsp', '\u00a0']]);

const ANY = /^/;
/** @type {Rule[]} */
const RULES = [
  [' \t\n', BLANKS, putBlanks, ANY],
  ['*_~', DELIMITERS, putDelimiters, /^([*_~])(?!\1)/],
  ['`', CODE, putCode, /^`[^`]/],
  ['h', ADDRESS, putAddress, /\W$/, NO_ADDRESS],
  ['![', LINK, putLink, /^[!\]\s]|[\])\n]$/, NO_LINK],
  ['<', ANGLE, putAngle, /\W$/, NO_ANGLE],
  ['&', ENTITY, putEntity, ANY, NO_ENTITY],
  ['\\', ESCAPE, putEscaped, ANY, NO_ESCAPE],
  [END, ANY, () => 1, ANY],
];

/**
 * A reader of paragraphs, one after the other.
 *
 * @param {Renderer} output
 * @param {number} [depth] how many spans and links it is in, for the label of a link
 * @returns {(token: string) => void} takes one token, line ends included, and END behind the last one of a paragraph,
 *   which passes on what is held back and closes what is open
 */
export function createInline(output, depth = 0) {
  /** @type {Paragraph} */
  const paragraph = { output, depth, held: '', before: '\n', spans: [], seen: 0, wake: ANY, hold: 0 };
  return (token) => {
    const { before, held } = paragraph;
    // Most of all text: words, and single blanks between them.
    if (!SPECIAL.test(token) && (!held || (held === ' ' && before !== '\n'))) {
      output.text(held + token);
      paragraph.held = '';
      paragraph.before = token.slice(-1);
      return;
    }
    const isAwake = paragraph.wake.test(held.slice(-1) + token);
    paragraph.held += token;
    if (isAwake || token === END || paragraph.held.length > paragraph.hold) settle(paragraph);
    if (token === END) endSpans(paragraph);
  };
}

/** @param {Paragraph} paragraph */
function settle(paragraph) {
  while (paragraph.held) {
    const length = readNext(paragraph);
    if (!length) return;
    paragraph.before = paragraph.held.charAt(length - 1);
    paragraph.held = paragraph.held.slice(length);
    paragraph.seen = Math.max(0, paragraph.seen - length);
  }
  paragraph.wake = ANY;
}

/**
 * @param {Paragraph} paragraph
 * @returns {number} how many of the held characters were dealt with; 0 while more have to be seen
 */
function readNext(paragraph) {
  const { held } = paragraph;
  const rule = findRule(paragraph);
  if (!rule) return putPlain(paragraph);
  const [, whole, put, wake, never] = rule;
  const match = whole.exec(held);
  const length = match ? put(paragraph, match) : 0;
  paragraph.wake = wake;
  paragraph.hold = /^[h<]|]\(/.test(held) ? ADDRESS_HOLD : HOLD;
  const isSettled = held.length > paragraph.hold || held.endsWith(END) || never?.test(held);
  return length || (isSettled ? putPlain(paragraph) : 0);
}

/** @param {Paragraph} paragraph */
function findRule({ held, before, depth }) {
  const first = held.charAt(0);
  // An address begins no word's middle, and no link's label.
  if (first === 'h' && (depth || /\w/.test(before))) return undefined;
  return RULES.find(([starts]) => starts.includes(first));
}

/** @param {Paragraph} paragraph */
function putPlain({ held, output }) {
  const [text] = /** @type {RegExpExecArray} */ (PLAIN.exec(held));
  output.text(text);
  return text.length;
}

/**
 * @param {Paragraph} paragraph
 * @param {RegExpExecArray} match
 */
function putBlanks({ before, output }, [whole, blanks = '', lineEnd, next]) {
  if (next === END) return whole.length;
  if (lineEnd && blanks.length > 1) putBreak(output);
  else if (lineEnd || before !== '\n') output.text(lineEnd || blanks);
  return whole.length;
}

/**
 * @param {Paragraph} paragraph
 * @param {RegExpExecArray} match
 */
function putCode({ output }, { 0: whole, 2: content = '' }) {
  const code = content.replaceAll('\n', ' ');
  output.open('code');
  output.text(/^ .*[^ ].* $/.test(code) ? code.slice(1, -1) : code);
  output.close();
  return whole.length;
}

/**
 * @param {Paragraph} paragraph
 * @param {RegExpExecArray} match
 */
function putAddress(paragraph, [whole]) {
  // Without a parenthesis that was opened before it, and the sentence's own punctuation.
  const [paired] = /** @type {RegExpExecArray} */ (/^(?:[^()]|\([^()]*\))+/.exec(whole));
  const address = paired.replace(/[.,:;!?'"_~]+$/, '');
  putAnchor(paragraph, address, () => paragraph.output.text(address));
  return address.length;
}

/**
 * @param {Paragraph} paragraph
 * @param {RegExpExecArray} match
 */
function putLink(paragraph, [whole, label = '', pointed, plain = '']) {
  const { depth, output, spans } = paragraph;
  const address = (pointed ?? plain).replace(/\\([!-/:-@[-`{-~])/g, '$1').replaceAll('&amp;', '&');
  const inner = createInline(output, depth + spans.length + 1);
  putAnchor(paragraph, address, () => {
    for (const character of label + END) inner(character);
  });
  return whole.length;
}

/**
 * @param {Paragraph} paragraph
 * @param {RegExpExecArray} match
 */
function putAngle(paragraph, [whole, address, mailbox]) {
  const { output } = paragraph;
  const href = address ?? (mailbox && `mailto:${mailbox}`);
  if (href) putAnchor(paragraph, href, () => output.text(whole.slice(1, -1)));
  else putBreak(output);
  return whole.length;
}

/**
 * @param {Paragraph} paragraph
 * @param {RegExpExecArray} match
 */
function putEntity({ output }, [whole, name = '']) {
  output.text(/** @type {string} */ (ENTITIES.get(name)));
  return whole.length;
}

/**
 * @param {Paragraph} paragraph
 * @param {RegExpExecArray} match
 */
function putEscaped({ output }, [whole, sign, next]) {
  if (sign) output.text(sign);
  else if (next === END) output.text('\\');
  else putBreak(output);
  return whole.length;
}

/** @param {Renderer} output */
function putBreak(output) {
  output.open('br');
  output.close();
}

/**
 * @param {Paragraph} paragraph
 * @param {string} address
 * @param {() => void} putLabel
 */
function putAnchor({ depth, output }, address, putLabel) {
  // There are no links in links.
  if (!depth) output.open('a', address);
  putLabel();
  if (!depth) output.close();
}
