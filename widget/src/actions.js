/**
 * What a visitor can do with a conversation beside asking: copy an answer, rate it, have it given
 * again, see where it comes from, edit the last question, take back one that is not sent, and ask what is suggested.
 */

import { adopt } from './dom.js';
import { createAnswerActions } from './extras/answer_actions.js';
import { createEditing } from './extras/editing.js';
import { createSuggestions } from './extras/suggestions.js';
import { showOutbox } from './extras/take_back.js';
import css from './styles/actions.css';
import bidi from './styles/bidi.css';
import jump from './styles/jump.css';

/** @typedef {import('./types.js').MessageView} MessageView */

/**
 * What stands in a message. `isLast`: the last of its side, and nothing is under way.
 *
 * @typedef {object} Attachment
 * @property {(view: MessageView, isLast: boolean) => void} update
 */

/** @param {import('./extras.js').Speaking} chat */
export function start(chat) {
  const { root, frame, store, panel, config, restored, signal } = chat;
  const { shown } = panel.transcript;
  const editing = createEditing(chat);
  const suggest = createSuggestions(chat);
  /** By the message's node, with which it goes. @type {WeakMap<Element, Attachment>} */
  const attachments = new WeakMap();
  /** What may be asked at the start. @type {unknown} */
  let first;

  /**
   * @param {MessageView} view
   * @param {HTMLElement} element
   */
  function attach(view, element) {
    const made = view.author === 'visitor' ? editing.attach(element) : createAnswerActions(element, chat);
    attachments.set(element, made);
    return made;
  }

  function refresh() {
    const { messages, turn, queued } = store.get();
    const isIdle = !turn && !queued;
    const question = messages.findLast(({ author }) => author === 'visitor');
    const last = messages.at(-1);
    for (const view of messages) {
      const element = shown.get(view.id)?.element;
      if (!element) continue;
      const made = attachments.get(element) ?? attach(view, element);
      made.update(view, isIdle && (view === last || view === question));
    }
    editing.update(question);
    // Not before the last words are written out.
    const isWhole = last && shown.get(last.id)?.element.dataset.state === 'done';
    suggest(last ? isIdle && isWhole && last.more?.suggestions?.suggestions : first);
  }

  adopt(root, css + bidi + jump);
  showOutbox(chat);
  store.subscribe(refresh);
  const observer = new MutationObserver(refresh);
  observer.observe(frame, { subtree: true, attributeFilter: ['data-state'] });
  signal.addEventListener('abort', () => observer.disconnect());
  refresh();
  void Promise.all([config, restored]).then(([{ suggestions }]) => {
    first = suggestions;
    refresh();
  });
}
