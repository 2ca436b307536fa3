/**
 * The server's copy of the conversation, merged into what is on screen: nothing is lost, nothing
 * is doubled, and a bubble that did not change keeps its identity.
 */

import { answerId, newMessage, questionId, withText, withoutRetried } from './messages.js';

/** @typedef {import('./types.js').State} State */
/** @typedef {import('./types.js').Snapshot} Snapshot */
/** @typedef {import('./types.js').MessageView} MessageView */
/** @typedef {readonly MessageView[]} Messages */

/**
 * The state after the server told its copy. `before` is the state when it was asked for: what has
 * happened since is newer than the copy.
 * @param {State} state
 * @param {Snapshot} snapshot
 * @param {State} before
 * @returns {State}
 */
export function applySnapshot(state, snapshot, before) {
  // Another id, or none, where there was one: erased from another tab.
  const isErased = before.conversationId !== null && before.conversationId !== snapshot.conversationId;
  const kept = isErased ? withoutErased(state, before) : state.messages;
  const byId = new Map(kept.map((message) => [message.id, message]));
  const told = snapshot.messages.map((message) => adopt(byId.get(viewId(message)), message));
  return {
    ...state,
    messages: withoutRetried(merge(told, kept)),
    conversationId: snapshot.conversationId ?? (isErased ? null : state.conversationId),
    turn: followed(state.turn, told, snapshot.activeStream),
    isRestored: true,
  };
}

/**
 * Messages of this page that an erased conversation takes with it: all that were settled when the
 * copy was asked for. What is unsent or running stays.
 * @param {State} state
 * @param {State} before
 */
function withoutErased(state, before) {
  return state.messages.filter(
    (message) =>
      message.state === 'queued' ||
      message.requestId === state.turn?.requestId ||
      !before.messages.includes(message),
  );
}

/**
 * The server's messages in its order, with those that only this page knows put where they
 * belong: an answer after its question, anything else before what followed it.
 * @param {Messages} told
 * @param {Messages} kept
 * @returns {Messages}
 */
function merge(told, kept) {
  const toldIds = new Set(told.map(({ id }) => id));
  /** @type {Map<string, MessageView[]>} */
  const ahead = new Map();
  /** @type {Map<string, MessageView>} */
  const answers = new Map();
  /** @type {MessageView[]} */
  let loose = [];
  for (const message of kept) {
    const question = message.requestId && questionId(message.requestId);
    if (toldIds.has(message.id)) {
      ahead.set(message.id, loose);
      loose = [];
    } else if (question && toldIds.has(question)) answers.set(question, message);
    else loose.push(message);
  }
  const placed = told.flatMap((message) => [
    ...(ahead.get(message.id) ?? []),
    message,
    ...[answers.get(message.id) ?? []].flat(),
  ]);
  return [...placed, ...loose];
}

/**
 * One message of the server as a bubble: the very bubble of this page when it says the same.
 * @param {MessageView | undefined} mine
 * @param {import('./types.js').SnapshotMessage} message
 * @returns {MessageView}
 */
function adopt(mine, message) {
  const { messageId, author, content, finishReason = null, errorCode, createdAt } = message;
  const state = errorCode ? 'failed' : finishReason === 'aborted' ? 'aborted' : 'done';
  const isSame = mine?.text === content && mine.state === state;
  if (isSame && mine.messageId === messageId) return mine;
  const error = errorCode ? { code: errorCode, message: '', retryable: true } : null;
  return {
    ...newMessage(message.requestId ?? '', createdAt, { author }),
    ...withText(mine, content),
    id: viewId(message),
    requestId: message.requestId ?? null,
    messageId,
    state,
    finishReason,
    error: isSame && mine.error ? mine.error : error,
  };
}

/** @param {import('./types.js').SnapshotMessage} message */
function viewId({ requestId, author, messageId }) {
  if (!requestId) return messageId;
  return author === 'visitor' ? questionId(requestId) : answerId(requestId);
}

/**
 * The running turn in the light of the server's copy: ended when its answer is told, and read
 * from where the server says when the stream has another name.
 * @param {import('./types.js').Turn | null} turn
 * @param {Messages} told
 * @param {import('./types.js').ActiveStream | null} active
 */
function followed(turn, told, active) {
  if (!turn || told.some(({ id }) => id === answerId(turn.requestId))) return null;
  if (active?.requestId !== turn.requestId || active.streamId === turn.streamId) return turn;
  return { ...turn, streamId: active.streamId, cursor: active.lastEventId };
}
