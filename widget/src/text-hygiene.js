/** Marks that one character may carry. No language needs more. */
const MAX_MARKS = 8;

// Halves of surrogate pairs; overrides and isolates of the writing direction; tags, which are invisible letters;
// controls, but for tabs and line ends.
const HIDDEN = /[\p{Cs}\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]|(?![\t\n])\p{Cc}/u;
const MARK = /\p{M}/u;
// They continue what they follow, so they must not make room for more marks.
const JOINER = /[\u200c\u200d]/;

/**
 * A judge of the characters of one text: those that only serve to deceive or to disfigure are not
 * to be shown.
 *
 * @returns {(token: string) => boolean} whether the next character, or several ASCII letters, are to be shown
 */
export function createHygiene() {
  let marks = 0;
  return (token) => {
    // Most text is plain, and these tests cost more than all others.
    if (token < ' ' || token > '~') {
      if (HIDDEN.test(token)) return false;
      if (MARK.test(token)) return ++marks <= MAX_MARKS;
      if (JOINER.test(token)) return true;
    }
    marks = 0;
    return true;
  };
}
