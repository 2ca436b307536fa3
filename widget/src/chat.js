/**
 * The chat as the script tag's launcher fetches it: with English words, and the others on demand.
 */

import { en } from './strings/en.js';

export { createChat } from './widget.js';

/**
 * The words of a locale. Without its file, English: a chat in another language beats none.
 *
 * @param {import('./types.js').Locale} locale
 * @returns {Promise<import('./types.js').Strings>}
 */
export async function loadWords(locale) {
  const address = LOCALES[locale];
  try {
    return address ? (await import(address)).default : en;
  } catch (error) {
    console.warn('Chatbubble speaks English, its words did not load:', error);
    return en;
  }
}
