import { make } from '../dom.js';

const MOST = 9;

/**
 * Shows on the launcher how many answers ended while the panel was closed, until it is opened.
 *
 * @param {import('../extras.js').Speaking} chat
 * @param {() => void} onArrival
 */
export function showUnread({ host, button, given, words, signal }, onArrival) {
  // In the chat's language, which the launcher has no words of, unless the page has a name for it.
  const label = given.label || words.title;
  const badge = make('span', 'badge', { 'aria-hidden': 'true' });
  let known = 0;

  /** @param {number} count */
  function show(count) {
    if (count > known) onArrival();
    known = count;
    badge.hidden = !count;
    badge.textContent = count > MOST ? `${MOST}+` : `${count || ''}`;
    const told = count ? `${label}, ${words.unread?.replace('{count}', `${count}`)}` : label;
    button.setAttribute('aria-label', told);
  }

  show(0);
  button.append(badge);
  const hear = (/** @type {Event} */ event) => show(Number(/** @type {CustomEvent} */ (event).detail.count));
  host.addEventListener('chatbubble:unread', hear, { signal });
}
