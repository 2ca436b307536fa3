import { icon, make } from '../dom.js';
import { makeAction } from './action.js';
import { createFeedback } from './feedback.js';
import { AGAIN, CHECK, COPY } from './icons.js';
import { createSources } from './sources.js';

/** How long a button says that it did. */
const SAID_MS = 2000;

/**
 * What stands under an answer once all of it was written: its sources, and the buttons to copy it,
 * to have it given again and to rate it.
 *
 * @param {HTMLElement} element the answer's
 * @param {import('../extras.js').Speaking} chat
 * @returns {import('../actions.js').Attachment}
 */
export function createAnswerActions(element, chat) {
  const { words, server, panel, store } = chat;
  const bubble = /** @type {Element} */ (element.getElementsByClassName('bubble')[0]);
  const copy = createCopy(chat, () => view.text);
  const again = makeAction('again', onAgain, `${words.answerAgain}`, AGAIN);
  const feedback = createFeedback(chat);
  const row = make('div', 'actions', {}, copy, again, ...feedback.thumbs);
  /** @type {HTMLElement | null} */
  let sources = null;
  /** @type {import('../types.js').MessageView} */
  let view;
  /** What is under the bubble belongs to these. @type {unknown[]} */
  let done = [];

  bubble.parentElement?.append(row);

  function onAgain() {
    const question = store.get().messages.find(({ id }) => id === `q-${view.requestId}`);
    if (!question) return;
    // The button goes with the answer, and would take the focus with it.
    panel.show(true, true);
    server.ask(question.text, `${view.requestId}`);
  }

  return {
    update(next, isLast) {
      view = next;
      const isWhole = Boolean(view.text) && /^(done|aborted)$/.test(`${element.dataset.state}`);
      element.classList.toggle('whole', isWhole);
      element.classList.toggle('last', isLast);
      // Setting an attribute anew has the browser look at all styles again; this does nothing where nothing changes.
      again.toggleAttribute('hidden', !isLast || !view.requestId);
      feedback.update(view);
      const told = view.more?.sources?.sources;
      if (!isWhole || (done[0] === view.text && done[1] === told)) return;
      done = [view.text, told];
      sources?.remove();
      sources = createSources(bubble, told, words);
      bubble.parentElement?.append(...(sources ? [sources] : []), row, feedback.element);
    },
  };
}

/**
 * @param {import('../extras.js').Speaking} chat
 * @param {() => string} read
 */
function createCopy({ words, say }, read) {
  const button = makeAction('copy-answer', onCopy, `${words.copyAnswer}`, COPY);
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;

  async function onCopy() {
    try {
      await navigator.clipboard.writeText(read());
      tell(words.copied, CHECK);
    } catch {
      // Not allowed by the browser, or by the page that holds this one.
      tell(words.failed, COPY);
    }
  }

  /**
   * @param {string} text
   * @param {string} path
   */
  function tell(text, path) {
    button.replaceChildren(icon(path), text);
    say(text);
    clearTimeout(timer);
    timer = setTimeout(() => button.replaceChildren(icon(COPY)), SAID_MS);
  }

  return button;
}
