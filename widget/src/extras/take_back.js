import { adopt, makeButton } from '../dom.js';
import css from '../styles/outbox.css';
import { CLOSE } from '../views/icons.js';

/**
 * Shows which questions are not sent yet, and lets the visitor take each of them back.
 *
 * @param {import('../widget.js').Running} chat
 */
export function showOutbox({ root, store, panel, server, words }) {
  /** By the article of the question. @type {Map<Element, Element>} */
  const shown = new Map();
  adopt(root, css);

  /** @param {import('../types.js').State} state */
  function update({ messages, turn }) {
    for (const { id, state, requestId } of messages) {
      const article = panel.transcript.shown.get(id)?.element;
      const button = article && shown.get(article);
      if (state === 'queued' && article && !button) add(article, `${requestId}`);
      const note = state === 'queued' && article?.querySelector('.note');
      if (note) note.textContent = `${turn ? words.waiting : words.unsent}`;
      if (state !== 'queued' && article && button) {
        button.remove();
        shown.delete(article);
      }
    }
    for (const article of shown.keys()) if (!article.isConnected) shown.delete(article);
  }

  /**
   * @param {HTMLElement} article
   * @param {string} requestId
   */
  function add(article, requestId) {
    const button = makeButton('take-back', () => {
      // The button goes with its question, and would take the focus with it.
      panel.composer.focus();
      server.takeBack?.(requestId);
    }, `${words.takeBack}`, CLOSE);
    article.append(button);
    shown.set(article, button);
  }

  update(store.get());
  store.subscribe(update);
}
