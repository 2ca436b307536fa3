/** @typedef {import('./types.js').Words} Words */

/** Chinese as it is written in Taiwan, Hong Kong and Macau. */
const TRADITIONAL = /^zh(?!.*hans).*(hant|tw|hk|mo)/;

/**
 * The locale to show: the first candidate that we have words for, else English.
 * @param {readonly unknown[]} candidates language tags, best first: the option, the page's, the browser's
 * @param {string} locales that we have words for, with spaces between them
 * @returns {string}
 */
export function pickLocale(candidates, locales) {
  for (const candidate of candidates) {
    // Hebrew and Indonesian had other codes once, and some pages and systems still use them.
    const tag = `${candidate}`.toLowerCase().replace(/^iw(?![a-z])/, 'he').replace(/^in(?![a-z])/, 'id');
    const wanted = TRADITIONAL.test(tag) ? 'zh-TW' : /^[a-z]+/.exec(tag);
    // Capitals, as in the BR of pt-BR, are no language.
    const known = RegExp(`\\b${wanted}\\b\\S*`).exec(locales);
    if (known) return known[0];
  }
  return 'en';
}

/**
 * What to tell the visitor about a failure: our words for a code we know, the server's own for
 * any other.
 * @param {Words & Readonly<Record<string, string>>} words with those of the codes once they were fetched
 * @param {Pick<import('./types.js').ErrorView, 'code' | 'message'>} error
 * @returns {string}
 */
export function errorText(words, { code, message }) {
  return words[code] || message || words.failed;
}
