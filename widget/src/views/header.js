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
 * @param {object} parts
 * @param {import('../types.js').Strings} parts.words
 * @param {() => void} parts.onClose
 * @param {AbortSignal} parts.signal ends the listener
 * @returns {Header}
 */
export function createHeader({ words, onClose, signal }) {
  const title = make('h2', { part: 'title' });
  const avatar = make('span', { class: 'avatar', part: 'avatar assistant-avatar' }, icon(SPARK));
  const close = make('button', { class: 'close', part: 'close', 'aria-label': words.close }, icon(CLOSE));
  const heading = make('div', {}, title, make('p', {}, words.assistant));
  close.addEventListener('click', onClose, { signal });
  return {
    element: make('header', { part: 'header' }, avatar, heading, close),
    entitle(text) {
      title.textContent = text;
    },
  };
}
