/**
 * What happened to a conversation between two of its states, in the words that a page listens to.
 */

import { SESSION_EXPIRED } from '../errors.js';
import { answerId, findMessage, questionId } from '../messages.js';

/** @typedef {import('../types.js').State} State */
/** @typedef {import('../types.js').MessageView} MessageView */
/** @typedef {import('../public.js').ChatEvents} ChatEvents */
/** @typedef {{[Name in keyof ChatEvents]: [name: Name, detail: ChatEvents[Name]]}[keyof ChatEvents]} Happening */

const CUT = /^(reconnecting|lost)$/;

/**
 * The happenings that lead from one state to a later one, in order. A conversation that was read from
 * the server has no past here: its old messages are no happenings.
 *
 * @param {State} before
 * @param {State} after
 * @returns {Happening[]}
 */
export function happeningsBetween(before, after) {
  return [...questions(before, after), ...answer(before, after), ...line(before, after), ...session(before, after)];
}

/**
 * @param {State} before
 * @param {State} after
 * @returns {Happening[]}
 */
function questions(before, after) {
  if (before.messages === after.messages) return [];
  const known = new Set(before.messages.map(({ id }) => id));
  return after.messages
    .filter(({ id, author, state }) => author === 'visitor' && state === 'queued' && !known.has(id))
    .map(({ id, text }) => ['send', { id, text }]);
}

/**
 * @param {State} before
 * @param {State} after
 * @returns {Happening[]}
 */
function answer(before, after) {
  const requestId = (before.turn ?? after.turn)?.requestId ?? '';
  const now = findMessage(after.messages, answerId(requestId));
  const earlier = findMessage(before.messages, answerId(requestId));
  if (!now) return [];
  const piece = pieceOf(now, earlier);
  const isOver = before.turn && after.turn?.requestId !== requestId;
  const end = isOver ? endOf(now, findMessage(after.messages, questionId(requestId))?.text ?? '') : null;
  return [piece, end].filter((happening) => happening !== null);
}

/**
 * @param {MessageView} now
 * @param {MessageView | undefined} earlier
 * @returns {Happening | null}
 */
function pieceOf({ id, text, revision }, earlier) {
  const index = earlier?.revision === revision ? earlier.text.length : 0;
  return text.length > index ? ['token', { id, text: text.slice(index), index }] : null;
}

/**
 * @param {MessageView} answer
 * @param {string} question
 * @returns {Happening | null}
 */
function endOf({ id, text, state, error, finishReason }, question) {
  if (state === 'aborted') return ['answer', { id, text, question, finishReason: state }];
  if (state === 'done') return ['answer', { id, text, question, finishReason: finishReason ?? 'stop' }];
  const { code = '', message = '', retryable = false } = error ?? {};
  return state === 'failed' ? ['error', { id, question, code, message, retryable }] : null;
}

/**
 * @param {State} before
 * @param {State} after
 * @returns {Happening[]}
 */
function line({ connection: before }, { connection }) {
  const isTold = before !== connection && (CUT.test(before) || CUT.test(connection));
  return isTold ? [['reconnect', { connection }]] : [];
}

/**
 * @param {State} before
 * @param {State} after
 * @returns {Happening[]}
 */
function session({ wait: before }, { wait }) {
  const isOver = wait?.code === SESSION_EXPIRED && before?.code !== SESSION_EXPIRED;
  return isOver ? [['error', { id: '', question: '', code: SESSION_EXPIRED, message: '', retryable: true }]] : [];
}
