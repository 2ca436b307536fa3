/**
 * Characters that only serve to deceive or to disfigure: the model's text without them.
 */

/** Marks that one character may carry. The languages of the world need fewer. */
const MAX_MARKS = 8;

const PLAIN = /^[\t\n\x20-\x7e]*$/;
const MARK = /\p{M}/u;
// Joiners keep a cluster going, so they must not give it room for more marks.
const JOINER = /[\u200c\u200d]/;
// Controls; overrides and isolates of the writing direction; tags, which are invisible letters.
const HIDDEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u;
const HALF_PAIR = /[\ud800-\udfff]/u;
const OPEN_PAIR = /[\ud800-\udbff]$/;

/**
 * Cleans a text that comes in pieces: line ends become LF, halves of surrogate pairs U+FFFD,
 * hidden characters and surplus combining marks nothing.
 *
 * @returns {{push: (text: string) => string, end: () => string}} each gives what can be passed on;
 *   the pieces of it never cut a surrogate pair
 */
export function createTextHygiene() {
  let carry = '';
  let marks = 0;
  let isAfterReturn = false;

  /** @param {string} character */
  function clean(character) {
    const isSecondHalf = isAfterReturn && character === '\n';
    isAfterReturn = character === '\r';
    if (isSecondHalf) return '';
    if (isAfterReturn) return '\n';
    if (HIDDEN.test(character)) return '';
    if (MARK.test(character)) return ++marks > MAX_MARKS ? '' : character;
    if (!JOINER.test(character)) marks = 0;
    return HALF_PAIR.test(character) ? '\ufffd' : character;
  }

  /** @param {string} text */
  function cleanAll(text) {
    if (PLAIN.test(text) && !isAfterReturn) {
      if (text) marks = 0;
      return text;
    }
    return Array.from(text, clean).join('');
  }

  return {
    push(text) {
      const whole = carry + text;
      [carry = ''] = OPEN_PAIR.exec(whole) ?? [];
      return cleanAll(carry ? whole.slice(0, -1) : whole);
    },
    end() {
      const rest = cleanAll(carry);
      carry = '';
      return rest;
    },
  };
}
