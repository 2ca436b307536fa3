/**
 * The events of an answer's stream, applied to the state.
 */

import { answerId, findMessage, patchTurn, withText } from './messages.js';

/** @typedef {import('./types.js').State} State */
/** @typedef {import('./types.js').MessageView} MessageView */
/** @typedef {Record<string, any>} Fields what came in an event: anything */

/**
 * The state after one event of the running answer. Unknown events only move the cursor, and so do
 * malformed ones: the gap that they leave is found by the `index` of the next piece, or at the end.
 * @param {State} state
 * @param {import('./types.js').StreamEvent} event
 * @returns {State}
 */
export function applyEvent(state, { type, data, lastEventId }) {
  if (!state.turn) return state;
  const { isTorn, cursor, requestId } = state.turn;
  const isUsable = !isTorn || type === 'connected';
  const next = { ...state, turn: { ...state.turn, cursor: isUsable ? lastEventId || cursor : '' } };
  const fields = parse(data);
  const answer = findMessage(state.messages, answerId(requestId));
  return fields && answer ? apply(next, answer, type, fields) : next;
}

/**
 * The state with the running answer changed, and perhaps its question.
 * @param {State} state
 * @param {Partial<MessageView>} answer
 * @param {Partial<import('./types.js').Turn> | null} [turn] null: the answer is settled
 * @param {Partial<MessageView>} [question]
 * @returns {State}
 */
export function change(state, answer, turn = {}, question) {
  if (!state.turn) return state;
  const messages = patchTurn(state.messages, state.turn.requestId, answer, question);
  return { ...state, messages, turn: turn && { ...state.turn, ...turn } };
}

/**
 * The state after the running answer ended without success. One that the visitor had stopped
 * stays stopped: that is what they asked for.
 * @param {State} state
 * @param {Partial<import('./types.js').ErrorView>} error perhaps with more than is shown, or less
 * @returns {State}
 */
export function failAnswer(state, { code = '', message = '', retryable = true }) {
  const failure = /** @type {const} */ ({ state: 'failed', error: { code, message, retryable } });
  return change(state, state.turn?.isStopped ? {} : failure, null, { state: 'done' });
}

/**
 * @param {State} state
 * @param {MessageView} answer
 * @param {string} type
 * @param {Fields} fields
 * @returns {State}
 */
function apply(state, answer, type, fields) {
  switch (type) {
    case 'connected': {
      const { streamId, messageId, conversationId } = fields;
      return { ...change(state, { messageId }, { streamId, isTorn: false }, { state: 'done' }), conversationId };
    }
    case 'done': {
      const { fullText = answer.text, finishReason = null } = fields;
      const end = finishReason === 'aborted' ? finishReason : 'done';
      return change(state, { ...withText(answer, fullText), state: end, finishReason }, null);
    }
    case 'error':
      return failAnswer(state, fields);
  }
  // After Stop the text on screen is left alone until the server tells the end.
  if (state.turn?.isStopped) return state;
  if (type === 'token') return token(state, answer, fields);
  if (type === 'reset') return change(state, { ...withText(answer, ''), state: 'sending' }, { isTorn: false });
  return change(state, { more: { ...answer.more, [type]: fields } });
}

/** @param {State} state @param {MessageView} answer @param {Fields} fields */
function token(state, answer, { text, index }) {
  const covered = answer.text.length - index;
  if (covered < 0) return change(state, {}, { isTorn: true, cursor: '' });
  const more = covered >= 0 ? String(text ?? '').slice(covered) : '';
  return more ? change(state, { text: answer.text + more, state: 'streaming' }) : state;
}

/** @param {string} data @returns {Fields | null} */
function parse(data) {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
