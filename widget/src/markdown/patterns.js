/**
 * What inline constructs look like, in text that may still grow.
 *
 * So that it does not matter how the text was cut, none of the patterns for a whole construct may
 * see an end where more of it could follow: the character behind has to be there, if only END.
 *
 * Chinese, Japanese and Korean letters and punctuation are \u2e80-\uffef.
 */

/** Stands for the end of a paragraph, as a kind of blank. No text contains it: controls are not shown. */
export const END = '\v';

// CommonMark's flanking rule: the character next to the delimiters within a span, then the one on their other side.
// It was made for languages with blanks between words, so a sign within and a word outside do not matter beside an
// East Asian character.
const EDGE = /^(?=\S)(?:.?[\u2e80-\uffef]|(?![\p{P}\p{S}][^\s\p{P}\p{S}]))/u;

/**
 * Whether delimiters can open or close a span.
 *
 * @param {string} mark
 * @param {string} inside the character next to them within the span
 * @param {string} outside the one on their other side
 * @returns {boolean}
 */
export function isEdge(mark, inside, outside) {
  // snake_case is no emphasis.
  return EDGE.test(inside + outside) && !/^_[\p{L}\p{N}_]/u.test(mark + outside);
}

/** The neighbours of delimiters at the start of a word. */
export const WORD_START = /^[\s\u2e80-\uffef][\p{L}\p{N}]/u;

/** Each run of delimiters that is complete and not escaped, with its neighbours. */
export const RUNS = /([^\s\\])(?!\1)(([*_~])\3*)(?!\3)(?=([^]))/g;
export const DELIMITERS = /^([*_~])\1*(?!\1)(?=([^]))/;

export const CODE = /^(`+)(?!`)([^]*?[^`])\1(?=[^`])/;
export const BLANKS = /^([ \t]*)(\n?)[ \t]*(?=([^ \t\n]))/;
/** What is taken at a time of that which was no construct. */
export const PLAIN = /^(?:([`*_~])\1*|[a-z]+|[^])/iu;

// These match without a group what cannot become whole any more.
export const ESCAPE = /^\\(?:([!-/:-@[-`{-~])|(\n)[ \t]*(?=[^ \t\v])|(?=[^\n]|\n[ \t]*\v))/;
export const ENTITY = /^&(?:(amp|lt|gt|quot|#39|nbsp);|(?![#\w]{0,4}$))/;
/** An address or a mailbox, or a line break, without a group too. */
export const ANGLE = /^<(?:br ?\/?>|((?:[a-z][\w+.-]+:|[\w+.-]+@)[!-;=?-~]+)>|(?!(?:[!-;=?-~]*|br \/?)$))/i;

// An address in the middle of a sentence. East Asian words follow it without a blank.
const STOP = String.raw`\s<>"\x60{}|\\^[\]*\u2000-\uffef`;
export const ADDRESS = new RegExp(`^h(?:ttps?://[^${STOP}]+(?=[${STOP}])|(?!t*p?s?:?/?/?$|ttps?://[^${STOP}]+$))`);

// A label with brackets in pairs, then an address with parentheses in pairs, and perhaps a title.
const LABEL = /^!?\[((?:\\[^]|[^[\]\\]|\[[^[\]]*\])*)\]/.source;
const TARGET = /\(\s*(?:<([^<>\n]*)>|((?:[^\s()<\\]|\\.|\([^\s()]*\))*))(?:\s+["'][^"\n]*?["'])?\s*\)/.source;
// No bracket; no address behind the label, or one with a second line or word that is no title.
const NO_TARGET = /[^(]|\([^]*\n|\(\s*[^\s<]\S*\s+[^\s"')]/.source;
export const LINK = new RegExp(`${LABEL}(?:${TARGET}|${NO_TARGET})|^![^[]`);
