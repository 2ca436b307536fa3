import { icon, make, makeButton } from '../dom.js';
import { CLOSE, SPARK } from './icons.js';

/**
 * @typedef {object} Header
 * @property {HTMLElement} element
 * @property {HTMLElement} title
 */

/**
 * Whose chat this is, and the way out.
 *
 * @param {import('../types.js').Words} words
 * @param {() => void} onClose
 * @returns {Header}
 */
export function createHeader(words, onClose) {
  const title = make('h2', 'title');
  const avatar = make('span', 'avatar assistant-avatar', {}, icon(SPARK));
  const close = makeButton('close', onClose, words.close, CLOSE);
  const heading = make('div', '', {}, title, make('p', '', {}, words.assistant));
  // None: in a dialog it is not the page's banner, which it else passes for.
  return { element: make('header', 'header', { role: 'none' }, avatar, heading, close), title };
}
