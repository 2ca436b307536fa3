/**
 * What a conversation looks like after something happened to it. Pure, and the only place that
 * makes a new state.
 *
 * Each piece of an answer says where it starts. What is already covered is dropped; a gap tears
 * the turn, and its stream is read again from the start: an answer is never shown with a piece
 * missing or doubled.
 */

import { applyEvent, change, failAnswer } from './answer.js';
import { answerId, newMessage, patchTurn, questionId, withoutRetried } from './messages.js';
import { applySnapshot } from './snapshot.js';

/** @typedef {import('./types.js').State} State */
/** @typedef {import('./types.js').Action} Action */

/** Before anything was asked or read. @type {State} */
export const initialState = {
  messages: [],
  connection: 'idle',
  wait: null,
  queued: 0,
  turn: null,
  conversationId: null,
  isRestored: false,
};

/**
 * The state after `action`. The old one stays as it was; the same object means that nothing changed.
 * @param {State} state
 * @param {Action} action
 * @returns {State}
 */
export function reduce(state, action) {
  const next = step(state, action);
  if (next.messages === state.messages) return next;
  return { ...next, queued: next.messages.filter((message) => message.state === 'queued').length };
}

/** @param {State} state @param {Action} action @returns {State} */
function step(state, action) {
  const { messages } = state;
  switch (action.type) {
    case 'ask': {
      const { requestId, text, at } = action;
      const question = newMessage('visitor', requestId, at, { text, state: 'queued' });
      return { ...state, messages: withoutRetried([...messages, question]) };
    }
    case 'begin':
      return begin(state, action);
    case 'event':
      return applyEvent(state, action.event);
    case 'requeue':
      return requeue(state);
    case 'stop':
      return change(state, { state: 'aborted' }, { isStopped: true }, { state: 'done' });
    case 'fail':
      return failAnswer(state, action.error);
    case 'snapshot':
      return applySnapshot(state, action.snapshot, action.before);
    case 'connection': {
      const { connection, wait = null } = action;
      return connection === state.connection && wait === state.wait ? state : { ...state, connection, wait };
    }
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
function begin(state, { requestId, at, streamId = null, cursor = '' }) {
  const messages = [...patchTurn(state.messages, requestId, {}, { state: streamId ? 'done' : 'sending' })];
  const place = messages.findIndex(({ id }) => id === questionId(requestId)) + 1 || messages.length;
  messages.splice(place, 0, newMessage('assistant', requestId, at));
  return { ...state, messages, turn: { requestId, streamId, cursor, isTorn: false, isStopped: false } };
}

/** @param {State} state @returns {State} */
function requeue(state) {
  const answer = state.turn && answerId(state.turn.requestId);
  const next = change(state, {}, null, { state: 'queued' });
  return answer ? { ...next, messages: next.messages.filter(({ id }) => id !== answer) } : state;
}
