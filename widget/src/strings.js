/** @typedef {import('./types.js').Words} Words */

/** Chinese as it is written in Taiwan, Hong Kong and Macau. */
const TRADITIONAL = /^zh(?!.*hans).*(hant|tw|hk|mo)/;

/**
 * The locale to show: the first candidate that we have words for, else English.
 * @param {readonly (string | null | undefined)[]} candidates language tags, best first: the option,
 *   the page's, the browser's
 * @param {readonly string[]} locales that we have words for, besides English
 * @returns {string}
 */
export function pickLocale(candidates, locales) {
  for (const candidate of candidates) {
    const tag = `${candidate ?? ''}`.toLowerCase().replaceAll('_', '-');
    const wanted = TRADITIONAL.test(tag) ? 'zh-TW' : tag.split('-')[0];
    const known = ['en', ...locales].find((locale) => locale === wanted || locale.split('-')[0] === wanted);
    if (known) return known;
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
