/**
 * What kind of character stands beside a delimiter: whether emphasis begins or ends there depends
 * on nothing else.
 */

/** Chinese, Japanese and Korean letters, signs and punctuation, as part of a character class. */
export const EAST_ASIAN =
  '\\u1100-\\u11ff\\u2e80-\\ua4cf\\ua960-\\ua97f\\uac00-\\ud7ff\\uf900-\\ufaff\\ufe30-\\ufe4f\\uff00-\\uffef' +
  '\\u{1b000}-\\u{1b16f}\\u{20000}-\\u{3ffff}';

const IS_EAST_ASIAN = new RegExp(`[${EAST_ASIAN}]`, 'u');
const IS_PUNCTUATION = /[\p{P}\p{S}]/u;
const IS_WORD = /[\p{L}\p{N}_]/u;

/**
 * @param {string} character
 * @returns {'blank' | 'east' | 'sign' | 'word'} `east` is anything East Asian, punctuation included
 */
export function kindOf(character) {
  if (/\s/.test(character)) return 'blank';
  if (IS_EAST_ASIAN.test(character)) return 'east';
  return IS_PUNCTUATION.test(character) ? 'sign' : 'word';
}

/**
 * Whether a run of delimiters between two characters can open a span.
 *
 * @param {string} mark
 * @param {string} before
 * @param {string} after
 * @returns {boolean}
 */
export function canOpen(mark, before, after) {
  // 2*3 is a product.
  if (/\d/.test(before) && /\d/.test(after)) return false;
  return isEdge(after, before) && !(mark === '_' && IS_WORD.test(before));
}

/**
 * Whether a run of delimiters between two characters can close a span.
 *
 * @param {string} mark
 * @param {string} before
 * @param {string} after
 * @returns {boolean}
 */
export function canClose(mark, before, after) {
  return isEdge(before, after) && !(mark === '_' && IS_WORD.test(after));
}

/**
 * CommonMark's flanking rule. It was made for languages with blanks between their words, so it
 * does not hold beside an East Asian character.
 *
 * @param {string} inside the neighbour within the span
 * @param {string} outside the one beyond the delimiters
 */
function isEdge(inside, outside) {
  const kind = kindOf(inside);
  return kind !== 'blank' && (kind !== 'sign' || kindOf(outside) !== 'word');
}
