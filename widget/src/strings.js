/** @typedef {import('./types.js').StringKey} StringKey */

/** What is said where nothing better is known. */
const UNKNOWN = 'STREAM_ERROR FRAME_TOO_LARGE';

/**
 * The locale to show: the first candidate that we have words for, else English.
 * @param {(string | null | undefined)[]} candidates language tags, best first: the option,
 *   the page's, the browser's
 * @returns {import('./types.js').Locale}
 */
export function pickLocale(candidates) {
  const known = candidates.find((tag) => /^(en|zh)(?![a-z])/i.test(tag ?? ''));
  // Traditional Chinese has no words of its own yet; Simplified is nearer than English.
  return known && /^z/i.test(known) ? 'zh-CN' : 'en';
}

/**
 * What to tell the visitor about a failure: our words for a code we know, the server's own for
 * any other.
 * @param {import('./types.js').Strings} words
 * @param {Pick<import('./types.js').ErrorView, 'code' | 'message'>} error
 * @returns {string}
 */
export function errorText(words, { code, message }) {
  const keys = /** @type {StringKey[]} */ (Object.keys(words));
  const key = keys.find((codes) => codes.split(' ').includes(code));
  return key ? words[key] : message || words[UNKNOWN];
}
