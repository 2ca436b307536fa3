/**
 * What a conversation looks like after something happened to it. Pure, and the only place that
 * makes a new state.
 *
 * Each piece of an answer says where it starts. What is already covered is dropped; a gap tears
 * the turn, and its stream is read again from the start: an answer is never shown with a piece
 * missing or doubled.
 */

import { applyEvent, failAnswer, patchAnswer } from './answer.js';
import { answerId, newMessage, patch, questionId, withoutRetried } from './messages.js';
import { applySnapshot } from './snapshot.js';

/** @typedef {import('./types.js').State} State */
/** @typedef {import('./types.js').Action} Action */

/** Before anything was asked or read. @type {State} */
export const initialState = Object.freeze({
  messages: Object.freeze([]),
  connection: 'idle',
  wait: null,
  queued: 0,
  turn: null,
  conversationId: null,
  isRestored: false,
});

/**
 * The state after `action`. The old one stays as it was; the same object means that nothing changed.
 * @param {State} state
 * @param {Action} action
 * @returns {State}
 */
export function reduce(state, action) {
  const next = step(state, action);
  if (next.messages === state.messages) return next;
  const queued = next.messages.filter((message) => message.state === 'queued').length;
  return queued === next.queued ? next : { ...next, queued };
}

/** @param {State} state @param {Action} action @returns {State} */
function step(state, action) {
  const { messages, turn } = state;
  switch (action.type) {
    case 'ask': {
      const { requestId, text, at } = action;
      const question = newMessage(requestId, at, { author: 'visitor', text, state: 'queued' });
      return { ...state, messages: withoutRetried([...messages, question]) };
    }
    case 'begin':
      return begin(state, action);
    case 'event':
      return applyEvent(state, action.event);
    case 'resume':
      return turn ? { ...state, turn: { ...turn, isTorn: false } } : state;
    case 'requeue':
      return requeue(state);
    case 'stop':
      if (!turn) return state;
      return { ...patchAnswer(state, turn, () => ({ state: 'aborted' })), turn: { ...turn, isStopped: true } };
    case 'settle':
      return { ...state, turn: null };
    case 'fail':
      return failAnswer(state, action.error);
    case 'snapshot':
      return applySnapshot(state, action.snapshot, action.before);
    case 'connection':
      return { ...state, connection: action.connection, wait: action.wait ?? null };
    case 'drop':
      return { ...state, messages: messages.filter((message) => message.state !== 'queued') };
    case 'clear':
      return { ...initialState, isRestored: true };
  }
}

/**
 * The answer's bubble, after its question, is there before a byte of it came.
 * @param {State} state
 * @param {Extract<Action, {type: 'begin'}>} action
 * @returns {State}
 */
function begin(state, { requestId, at, streamId = null, messageId = null, cursor = '' }) {
  const question = questionId(requestId);
  const messages = patch(state.messages, question, () => ({ state: streamId ? 'done' : 'sending' }));
  const place = messages.findIndex(({ id }) => id === question) + 1 || messages.length;
  const answer = newMessage(requestId, at, { messageId });
  return {
    ...state,
    messages: [...messages.slice(0, place), answer, ...messages.slice(place).filter(({ id }) => id !== answer.id)],
    turn: { requestId, streamId, cursor, isTorn: false, isStopped: false },
  };
}

/** @param {State} state @returns {State} */
function requeue(state) {
  if (!state.turn) return state;
  const { requestId } = state.turn;
  const messages = state.messages.filter(({ id }) => id !== answerId(requestId));
  return { ...state, messages: patch(messages, questionId(requestId), () => ({ state: 'queued' })), turn: null };
}
