import { adopt } from '../dom.js';
import avatar from '../styles/avatar.css';
import looks from '../styles/looks.css';

/**
 * Gives the chat what its page chose and what nobody misses for a moment, and the launcher its full name.
 *
 * @param {import('../widget.js').Running} chat
 * @returns {void}
 */
export function dressUp({ root, button, frame, given, words }) {
  const { theme, label } = given;
  adopt(root, looks);
  if (given.avatar) adopt(root, avatar);
  // No colour scheme is called auto.
  if (theme !== 'auto') frame.style.colorScheme = theme ?? '';
  button.setAttribute('aria-haspopup', 'dialog');
  button.setAttribute('aria-label', label || words.title);
}
