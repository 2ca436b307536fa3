/** What can happen to a conversation, for tests of its state. */

import { initialState, reduce } from '../../widget/src/conversation.js';

/** The state after several actions; each state on the way is frozen, so that a mutation throws. */
export function after(...actions) {
  return actions.reduce((state, action) => deepFreeze(reduce(state, action)), initialState);
}

function deepFreeze(value) {
  if (value !== null && typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

export const ask = (requestId, text = `${requestId}?`) => ({ type: 'ask', requestId, text, at: 5 });
export const begin = (requestId, rest = {}) => ({ type: 'begin', requestId, at: 6, ...rest });
export const event = (type, fields, lastEventId = 'e.1') => ({
  type: 'event',
  event: { type, data: JSON.stringify(fields), lastEventId },
});
export const connected = event('connected', { streamId: 's1', messageId: 'm1', conversationId: 'c1' }, 'e.1');
export const token = (text, index, id = 'e.2') => event('token', { text, index }, id);
export const done = (fullText, finishReason = 'stop') =>
  event('done', { fullText, finishReason, messageId: 'm1' }, 'e.9');
export const problem = { code: 'UPSTREAM_TIMEOUT', message: 'Too slow.', retryable: true };

/** A question on its way, its stream connected. */
export const running = [ask('r1'), begin('r1'), connected];

export const answer = (state, requestId = 'r1') => state.messages.find(({ id }) => id === `a-${requestId}`);
export const question = (state, requestId = 'r1') => state.messages.find(({ id }) => id === `q-${requestId}`);
export const outline = ({ messages }) => messages.map(({ id, state }) => `${id} ${state}`);
