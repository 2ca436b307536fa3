/**
 * What a conversation looks like after something happened to it. Pure, and the only place that
 * makes a new state.
 *
 * Each piece of an answer says where it starts. What is already covered is dropped; a gap tears
 * the turn, and its stream is read again from the start: an answer is never shown with a piece
 * missing or doubled.
 */

import { applyEvent, change, failAnswer } from './answer.js';
import { answerId, newMessage, patchTurn, questionId } from './messages.js';

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
};

/**
 * The state after `action`. The old one stays as it was; the same object means that nothing changed.
 * @param {State} state
 * @param {Action} action
 * @returns {State}
 */
export function reduce(state, action) {
  const next = /** @type {(state: State, action: any) => State} */ (STEPS[action.type])(state, action);
  if (next.messages === state.messages) return next;
  return { ...next, queued: next.messages.filter((message) => message.state === 'queued').length };
}

/** @type {{[Type in Action['type']]: (state: State, action: Extract<Action, {type: Type}>) => State}} */
const STEPS = {
  begin,
  requeue,
  event: (state, { event }) => applyEvent(state, event),
  fail: (state, { error }) => failAnswer(state, error),
  snapshot: (state, { apply, snapshot, before }) => apply(state, snapshot, before),
  stop: (state) => change(state, { state: 'aborted' }, { isStopped: true }, { state: 'done' }),
  clear: () => initialState,
  ask(state, { requestId, text, at, replaces }) {
    const kept = state.messages.filter((message) => ![requestId, replaces].includes(`${message.requestId}`));
    return { ...state, messages: [...kept, newMessage('visitor', requestId, at, { text, state: 'queued' })] };
  },
  connection(state, { connection, wait = null }) {
    return connection === state.connection && wait === state.wait ? state : { ...state, connection, wait };
  },
};

/**
 * The answer's bubble, after its question, is there before a byte of it came.
 * @param {State} state
 * @param {Extract<Action, {type: 'begin'}>} action
 * @returns {State}
 */
function begin(state, { requestId, at, streamId = null, cursor = '' }) {
  const messages = patchTurn(state.messages, requestId, {}, { state: streamId ? 'done' : 'sending' });
  const place = messages.findIndex((message) => message.id === questionId(requestId)) + 1 || messages.length;
  messages.splice(place, 0, newMessage('assistant', requestId, at));
  return { ...state, messages, turn: { requestId, streamId, cursor, isTorn: false, isStopped: false } };
}

/** @param {State} state @returns {State} */
function requeue(state) {
  const { turn } = state;
  if (!turn) return state;
  const next = change(state, {}, null, { state: 'queued' });
  return { ...next, messages: next.messages.filter(({ id }) => id !== answerId(turn.requestId)) };
}
