/**
 * The chat as the script tag's launcher fetches it. What few pages need is fetched when it is needed.
 */

export { createChat } from './widget.js';

/**
 * A part of the chat that has a file of its own: the words of a locale, say.
 *
 * @param {string} name
 * @returns {Promise<any>} the module; undefined where there is no such file, and where it did not come: a chat
 *   without that part beats none
 */
export async function fetchPart(name) {
  const address = PARTS[name];
  try {
    return address && (await import(address));
  } catch (error) {
    console.warn(`Chatbubble goes on without ${name}:`, error);
  }
}
