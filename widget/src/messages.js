/**
 * The bubbles of a transcript: making, finding, changing. Lists are replaced, never mutated.
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
 * A bubble of this page, before the server knows of it.
 * @param {string} requestId
 * @param {number} createdAt
 * @param {Partial<MessageView>} rest
 * @returns {MessageView}
 */
export function newMessage(requestId, createdAt, rest) {
  const isQuestion = rest.author === 'visitor';
  return {
    id: isQuestion ? questionId(requestId) : answerId(requestId),
    author: 'assistant',
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
 * `messages` with one of them changed.
 * @param {Messages} messages
 * @param {string} id
 * @param {(message: MessageView) => Partial<MessageView>} change
 * @returns {Messages}
 */
export function patch(messages, id, change) {
  return messages.map((message) => (message.id === id ? { ...message, ...change(message) } : message));
}

/**
 * The change that makes `text` the whole text of `message`.
 * @param {MessageView | undefined} message
 * @param {string} text
 */
export function withText(message, text) {
  const isLonger = !message || text.startsWith(message.text);
  return { text, revision: (message?.revision ?? 0) + (isLonger ? 0 : 1) };
}

/**
 * `messages` without the failed turns that were asked again: a failed turn directly before the
 * same question. The server keeps both; the visitor sees the question once, with its new answer.
 * @param {Messages} messages
 * @returns {Messages}
 */
export function withoutRetried(messages) {
  /** @param {number} at */
  const isRetried = (at) => {
    const [question, answer, again] = messages.slice(at, at + 3);
    return (
      question?.author === 'visitor' &&
      again?.author === 'visitor' &&
      again.text === question.text &&
      answer?.state === 'failed'
    );
  };
  return messages.filter((_, at) => !isRetried(at) && !isRetried(at - 1));
}
