/**
 * The syntax of links. Whether an address may be followed is not decided here.
 *
 * Each function looks at text that may still grow and gives what it found, `null` where nothing
 * that comes could make it a link, or `undefined` where that is not known yet.
 */

import { EAST_ASIAN } from './characters.js';

/**
 * @typedef {object} Target
 * @property {number} length of the syntax
 * @property {string} href
 * @property {string} title
 */

// (address "title") or (<address> 'title'); parentheses in the address in pairs.
const TARGET = new RegExp(
  String.raw`^\(\s*(?:<([^<>\n]*)>|((?:[^\s()<\\]|\\.|\((?:[^\s()\\]|\\.)*\))*))` +
    String.raw`(?:\s+(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'))?\s*\)`,
);
// A second line, or a second word that is no title.
const NO_TARGET = /\n|^\(\s*[^\s<]\S*\s+[^\s"')]/;
const ANGLE = /^<(?:([a-z][a-z\d+.-]+:[!-;=?-~]+)|([\w.+-]+@[\w.-]+))>/i;
const OPEN_ANGLE = /^<[!-;=?-~]*$/;
// It ends before an East Asian character: those follow an address without a blank.
const BARE = new RegExp(`^https?://[^\\s<>"\`{}|\\\\^[\\]*\\u2000-\\u206f${EAST_ASIAN}]+`, 'u');
const BARE_STARTS = ['https://', 'http://'];
const TRAILING = /[.,:;!?'"_~)]/;

/**
 * @param {string} text
 * @param {number} from where the opening bracket stands
 * @returns {number | undefined} where its partner stands
 */
export function findBracket(text, from) {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') at++;
    else if (character === '[') depth++;
    else if (character === ']' && --depth === 0) return at;
  }
  return undefined;
}

/**
 * What follows a link's text.
 *
 * @param {string} text from the opening parenthesis on
 * @returns {Target | null | undefined}
 */
export function readTarget(text) {
  const [whole, pointed, plain = '', double, single = ''] = TARGET.exec(text) ?? [];
  if (whole) return { length: whole.length, href: unescape(pointed ?? plain), title: unescape(double ?? single) };
  return NO_TARGET.test(text) ? null : undefined;
}

/** @param {string} text */
function unescape(text) {
  return text.replace(/\\([!-/:-@[-`{-~])/g, '$1').replaceAll('&amp;', '&');
}

/**
 * An address or a mailbox in angle brackets.
 *
 * @param {string} text from the opening bracket on
 * @returns {{length: number, href: string, label: string} | null | undefined}
 */
export function readAngle(text) {
  const [whole, address, mailbox] = ANGLE.exec(text) ?? [];
  if (whole) return { length: whole.length, href: address ?? `mailto:${mailbox}`, label: whole.slice(1, -1) };
  return OPEN_ANGLE.test(text) ? undefined : null;
}

/**
 * An address in the middle of a sentence.
 *
 * @param {string} text from its first letter on
 * @param {boolean} isWhole whether no more text comes
 * @returns {string | null | undefined}
 */
export function readBare(text, isWhole) {
  if (BARE_STARTS.some((start) => start.startsWith(text))) return undefined;
  const [address] = BARE.exec(text) ?? [];
  if (address?.length === text.length && !isWhole) return undefined;
  return address ? trim(address) : null;
}

/**
 * Without the sentence's own punctuation.
 *
 * @param {string} address
 */
function trim(address) {
  let surplus = address.split(')').length - address.split('(').length;
  let end = address.length;
  while (TRAILING.test(address.charAt(end - 1))) {
    if (address[end - 1] === ')' && surplus-- <= 0) break;
    end--;
  }
  return address.slice(0, end);
}
