/**
 * The events of an answer's stream, applied to the state.
 */

import { answerId, patch, questionId, withText } from './messages.js';

/** @typedef {import('./types.js').State} State */
/** @typedef {import('./types.js').Turn} Turn */
/** @typedef {import('./types.js').MessageView} MessageView */
/** @typedef {Record<string, any>} Fields what came in an event: anything */

/** @type {Map<string, (state: State, turn: Turn, fields: Fields) => State>} */
const EVENTS = new Map([
  ['connected', connected],
  ['token', token],
  ['done', done],
  ['error', failed],
  ['reset', reset],
]);

/**
 * The state after one event of the running answer. Unknown events only move the cursor, and so do
 * malformed ones: the gap that they leave is found by the `index` of the next piece, or at the end.
 * @param {State} state
 * @param {import('./types.js').StreamEvent} event
 * @returns {State}
 */
export function applyEvent(state, { type, data, lastEventId }) {
  if (!state.turn) return state;
  const turn = { ...state.turn, cursor: state.turn.isTorn ? '' : lastEventId };
  const fields = parse(data);
  const apply = fields && EVENTS.get(type);
  return apply ? apply({ ...state, turn }, turn, fields) : { ...state, turn };
}

/**
 * The state with the running answer changed.
 * @param {State} state
 * @param {Turn} turn
 * @param {(answer: MessageView) => Partial<MessageView>} change
 * @returns {State}
 */
export function patchAnswer(state, turn, change) {
  return { ...state, messages: patch(state.messages, answerId(turn.requestId), change) };
}

/**
 * The state after the running answer ended without success. One that the visitor had stopped
 * stays stopped: that is what they asked for.
 * @param {State} state
 * @param {import('./types.js').ErrorView} error
 * @returns {State}
 */
export function failAnswer(state, error) {
  if (!state.turn) return state;
  const { isStopped } = state.turn;
  const next = patchAnswer(state, state.turn, () => (isStopped ? {} : { state: 'failed', error }));
  const messages = patch(next.messages, questionId(state.turn.requestId), () => ({ state: 'done' }));
  return { ...next, messages, turn: null };
}

/** @param {State} state @param {Turn} turn @param {Fields} fields @returns {State} */
function connected(state, turn, { streamId, messageId, conversationId }) {
  const next = patchAnswer(state, turn, () => ({ messageId }));
  const messages = patch(next.messages, questionId(turn.requestId), () => ({ state: 'done' }));
  return { ...next, messages, conversationId, turn: { ...turn, streamId } };
}

/** @param {State} state @param {Turn} turn @param {Fields} fields @returns {State} */
function token(state, turn, { text, index }) {
  const answer = state.messages.find(({ id }) => id === answerId(turn.requestId));
  if (!answer || turn.isStopped) return state;
  const held = answer.text.length;
  if (index > held) return { ...state, turn: { ...turn, isTorn: true, cursor: '' } };
  const more = String(text).slice(held - index);
  return more ? patchAnswer(state, turn, () => ({ text: answer.text + more, state: 'streaming' })) : state;
}

/** @param {State} state @param {Turn} turn @param {Fields} fields @returns {State} */
function done(state, turn, { fullText, finishReason }) {
  const next = patchAnswer(state, turn, (answer) => ({
    ...withText(answer, fullText),
    state: finishReason === 'aborted' ? 'aborted' : 'done',
    finishReason,
  }));
  return { ...next, turn: null };
}

/** @param {State} state @param {Turn} _turn @param {Fields} fields @returns {State} */
function failed(state, _turn, { code, message, retryable }) {
  return failAnswer(state, { code, message, retryable });
}

/** @param {State} state @param {Turn} turn @returns {State} */
function reset(state, turn) {
  if (turn.isStopped) return state;
  const next = patchAnswer(state, turn, (answer) => ({ ...withText(answer, ''), state: 'sending' }));
  return { ...next, turn: { ...turn, isTorn: false } };
}

/** @param {string} data @returns {Fields | null} */
function parse(data) {
  try {
    const fields = JSON.parse(data);
    return typeof fields === 'object' ? fields : null;
  } catch {
    return null;
  }
}
