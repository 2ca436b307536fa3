/**
 * The words that a page may need before the chat was fetched. They travel with the launcher, so
 * every page pays for each of them.
 */

/** @typedef {readonly [name: string, failure: string]} LauncherWords */

/** @type {LauncherWords} */
const EN = ['Chat with us', 'Loading failed. Try again'];
/** @type {LauncherWords} */
const ZH = ['在线客服', '加载失败，重试'];

/**
 * The launcher's name, and what to press after a failure: in the first candidate's language that
 * has words here, else in English. The same choice as that of `pickLocale`.
 *
 * @param {readonly any[]} candidates language tags, best first
 * @returns {LauncherWords}
 */
export function pickWords(candidates) {
  return /^z/i.test(candidates.find((tag) => /^(en|zh)\b/i.test(tag))) ? ZH : EN;
}
