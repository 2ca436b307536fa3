import { adopt, make } from '../dom.js';
import css from '../styles/launcher.css';

/**
 * @typedef {object} Launcher
 * @property {HTMLElement} host the element on the page
 * @property {ShadowRoot} root
 * @property {HTMLButtonElement} button
 * @property {HTMLElement} frame the panel's box, for the chat to fill
 */

/**
 * The element on the page, its button, and the frame that the chat will fill: all there is until
 * the visitor comes near. Its listeners sit on its own nodes, and go with them.
 *
 * @param {string} label
 * @param {() => void} onIntent the visitor came near; called many times
 * @param {() => void} onToggle the button was pressed
 * @returns {Launcher}
 */
export function createLauncher(label, onIntent, onToggle) {
  const host = document.createElement('chat-bubble');
  const root = host.attachShadow({ mode: 'open' });
  const button = make('button', 'launcher', { 'aria-label': label, 'aria-haspopup': 'dialog' });
  const frame = make('section', 'panel', { role: 'dialog', 'aria-label': label, tabindex: '-1', dir: 'ltr' });
  for (const type of ['pointerenter', 'focus']) button.addEventListener(type, onIntent);
  button.addEventListener('click', onToggle);
  adopt(root, css);
  root.append(button, frame);
  return { host, root, button, frame };
}
