/**
 * What keeps this page in step with the server's copy of the conversation and with the visitor's
 * other pages.
 */

import { createMark } from './storage.js';

export { applySnapshot } from './snapshot.js';

/** @param {import('./widget.js').Running} chat */
export function start({ home, button, store, restored, signal, show }) {
  const mark = createMark(home);
  const isOpen = () => button.getAttribute('aria-expanded') === 'true';
  const observer = new MutationObserver(() => mark.show(isOpen()));
  /** @param {import('./types.js').State} state */
  const update = ({ turn, queued }) => mark.update(Boolean(turn || queued));

  observer.observe(button, { attributeFilter: ['aria-expanded'] });
  signal.addEventListener('abort', () => observer.disconnect());
  mark.show(isOpen());
  update(store.get());
  store.subscribe(update);
  void restored?.then(() => {
    mark.settle();
    // As it was when the last page was left, and without taking the focus from this one.
    if (mark.wasOpen && !signal.aborted) show(true, false);
  });
}
