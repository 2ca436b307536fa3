import { icon, make } from '../dom.js';
import { CLOSE, SPARK } from './icons.js';

/**
 * @typedef {object} Header
 * @property {HTMLElement} element
 * @property {(title: string) => void} entitle
 */

/**
 * Whose chat this is, and the way out.
 *
 * @param {import('../types.js').Strings} words
 * @param {() => void} onClose
 * @returns {Header}
 */
export function createHeader(words, onClose) {
  const title = make('h2', 'title');
  const avatar = make('span', 'avatar assistant-avatar', {}, icon(SPARK));
  const close = make('button', 'close', { 'aria-label': words.close }, icon(CLOSE));
  const heading = make('div', '', {}, title, make('p', '', {}, words.assistant));
  close.addEventListener('click', onClose);
  return {
    element: make('header', 'header', {}, avatar, heading, close),
    entitle(text) {
      title.textContent = text;
    },
  };
}
