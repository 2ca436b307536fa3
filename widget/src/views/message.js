import { icon, make, makeButton } from '../dom.js';
import { errorText } from '../strings.js';
import { PERSON, SPARK } from './icons.js';
import { createText } from './text.js';

/** @typedef {import('../types.js').MessageView} MessageView */
/** @typedef {import('../types.js').Words} Words */

/**
 * What every message needs.
 *
 * @typedef {object} MessageParts
 * @property {Words} words
 * @property {(id: string) => void} onRetry
 */

/**
 * @typedef {object} Message
 * @property {HTMLElement} element
 * @property {(view: MessageView, isRunning: boolean) => void} update with whether it is the answer under way
 * @property {() => void} destroy takes it off the page and ends its timer
 */

/**
 * One message with its avatar. A visitor's text stays the plain text that it is; all others are
 * rendered.
 *
 * @param {MessageView} view as it is when first seen
 * @param {MessageParts} parts
 * @returns {Message}
 */
export function createMessage(view, parts) {
  return view.author === 'visitor' ? createQuestion(view, parts) : createAnswer(view, parts);
}

/**
 * The greeting: our own words or the site owner's, so plain text.
 *
 * @param {string} text
 * @param {Words} words
 * @returns {HTMLElement}
 */
export function createGreeting(text, words) {
  const { element, bubble } = createShell('assistant', words);
  bubble.textContent = text;
  return element;
}

/**
 * @param {MessageView['author']} author
 * @param {Words} words
 */
function createShell(author, words) {
  const side = author === 'visitor' ? 'visitor' : 'assistant';
  const avatar = make('span', `avatar ${side}-avatar`, {}, icon(side === 'visitor' ? PERSON : SPARK));
  const bubble = make('div', `bubble ${side}-bubble`, { dir: 'auto' });
  const body = make('div', 'body', {}, bubble);
  const element = make('article', `message ${side}-message`, { 'aria-label': words[author] }, avatar, body);
  return { element, bubble, body };
}

/**
 * @param {MessageView} first
 * @param {MessageParts} parts
 * @returns {Message}
 */
function createQuestion(first, { words }) {
  const { element, bubble, body } = createShell(first.author, words);
  const note = make('p', 'note', {}, words.waiting);
  bubble.textContent = first.text;
  return {
    element,
    update({ state }) {
      tell(element, state);
      if (state === 'queued') body.append(note);
      else note.remove();
    },
    destroy: () => element.remove(),
  };
}

/**
 * @param {MessageView} first
 * @param {MessageParts} parts
 * @returns {Message}
 */
function createAnswer(first, parts) {
  const { words } = parts;
  const { element, bubble, body } = createShell(first.author, words);
  const isOld = isSettled(first);
  const text = createText(bubble, words, isOld, onEnd);
  let view = first;
  /** @type {boolean | null} */
  let wasRunning = null;
  /** @type {Element | null} */
  let note = null;

  function onEnd() {
    tell(element, view.state);
  }

  return {
    element,
    update(next, isRunning) {
      if (next === view && isRunning === wasRunning) return;
      view = next;
      wasRunning = isRunning;
      text.show(view.text, view.revision);
      // Stopped is stopped: what has come is there at once, and the last words come with the server's confirmation.
      if (view.state === 'aborted') text.flush();
      const isOver = isSettled(view) && !isRunning;
      if (isOver) text.end();
      tell(element, text.isWriting && view.text && view.state !== 'aborted' ? 'streaming' : view.state);
      bubble.classList.toggle('wait', !view.text && !isSettled(view));
      note?.remove();
      note = isOver ? createNote(view, parts) : null;
      if (note) body.append(note);
    },
    destroy() {
      text.destroy();
      element.remove();
    },
  };
}

/**
 * Set anew, it would be news to all that watch it.
 *
 * @param {HTMLElement} element
 * @param {MessageView['state']} state
 */
function tell({ dataset }, state) {
  if (dataset.state !== state) dataset.state = state;
}

/** @param {MessageView} view */
function isSettled({ state }) {
  return state === 'done' || state === 'aborted' || state === 'failed';
}

/**
 * Why an answer ended where it did, if that needs saying.
 *
 * @param {MessageView} view
 * @param {Words} words
 */
function explain({ state, error, finishReason }, words) {
  if (state === 'failed') return errorText(words, error ?? { code: '', message: '' });
  if (state === 'aborted') return words.stopped;
  if (finishReason === 'length') return words.cutShort;
  return finishReason === 'content_filter' ? words.filtered : '';
}

/**
 * @param {MessageView} view
 * @param {MessageParts} parts
 * @returns {HTMLElement | null}
 */
function createNote(view, { words, onRetry }) {
  const reason = explain(view, words);
  if (!reason) return null;
  if (view.state !== 'failed') return make('p', 'note', {}, reason);
  const error = make('div', 'error', {}, make('p', '', {}, reason));
  if (view.error?.retryable) error.append(makeButton('retry', () => onRetry(view.id), words.retry));
  return error;
}
