/**
 * The bubbles of a transcript: making and changing them. Lists are replaced, never mutated.
 */

/** @typedef {import('./types.js').MessageView} MessageView */
/** @typedef {readonly MessageView[]} Messages */

/**
 * Ids follow from the request, so that a bubble keeps its node when the server's copy arrives.
 * @param {string} requestId
 */
export const questionId = (requestId) => `q-${requestId}`;

/** @param {string} requestId */
export const answerId = (requestId) => `a-${requestId}`;

/**
 * @param {Messages} messages
 * @param {string} id
 */
export const findMessage = (messages, id) => messages.find((message) => message.id === id);

/**
 * A bubble of this page, before the server knows of it.
 * @param {import('./types.js').Author} author
 * @param {string} requestId
 * @param {number} createdAt
 * @param {Partial<MessageView>} [rest]
 * @returns {MessageView}
 */
export function newMessage(author, requestId, createdAt, rest) {
  return {
    id: (author === 'visitor' ? questionId : answerId)(requestId),
    author,
    text: '',
    revision: 0,
    state: 'sending',
    error: null,
    finishReason: null,
    messageId: null,
    requestId,
    createdAt,
    ...rest,
  };
}

/**
 * `messages` with the answer to a request changed, and perhaps its question.
 * @param {Messages} messages
 * @param {string} requestId
 * @param {Partial<MessageView>} answer
 * @param {Partial<MessageView>} [question]
 * @returns {MessageView[]}
 */
export function patchTurn(messages, requestId, answer, question) {
  return messages.map((message) => {
    const change = message.author === 'visitor' ? question : answer;
    return change && message.requestId === requestId ? { ...message, ...change } : message;
  });
}

/**
 * The change that makes `text` the whole text of `message`.
 * @param {MessageView} message
 * @param {string} text
 */
export function withText(message, text) {
  return { text, revision: message.revision + Number(!text.startsWith(message.text)) };
}
