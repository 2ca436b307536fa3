/**
 * The server's copy of the conversation, merged into what is on screen: nothing is lost, nothing
 * is doubled, and a bubble that did not change keeps its identity.
 */

import { answerId, findMessage, newMessage, questionId, withText } from './messages.js';

/** @typedef {import('./types.js').State} State */
/** @typedef {import('./types.js').MessageView} MessageView */
/** @typedef {readonly MessageView[]} Messages */

/**
 * The state after the server told its copy. `before` is the state when it was asked for: what has
 * happened since is newer than the copy.
 * @param {State} state
 * @param {import('./types.js').Snapshot} snapshot
 * @param {State} before
 * @returns {State}
 */
export function applySnapshot(state, snapshot, before) {
  const { conversationId, activeStream } = snapshot;
  // Another id, or none, where there was one: erased from another tab. What never arrived there stays.
  const isErased = before.conversationId !== null && before.conversationId !== conversationId;
  const turn = isErased && state.turn?.streamId ? null : state.turn;
  const kept = state.messages.filter(
    (message) =>
      !isErased ||
      message.state === 'queued' ||
      message.requestId === turn?.requestId ||
      !before.messages.includes(message),
  );
  const told = snapshot.messages.map((message) => adopt(kept, message));
  return {
    ...state,
    messages: merge(told, kept),
    conversationId: conversationId ?? (isErased ? null : state.conversationId),
    turn: follow(turn, told, activeStream),
  };
}

/**
 * The server's messages in its order, with those that only this page knows put where they
 * belong: an answer after its question, anything else before what followed it, or last.
 * @param {Messages} told
 * @param {Messages} kept
 * @returns {Messages}
 */
function merge(told, kept) {
  const merged = [...told];
  let place = merged.length;
  for (const message of [...kept].reverse()) {
    /** @param {string} id */
    const placeOf = (id) => merged.findIndex((other) => other.id === id);
    const known = placeOf(message.id);
    if (known < 0) {
      const behind = message.author === 'visitor' ? 0 : placeOf(questionId(message.requestId ?? '')) + 1;
      merged.splice(behind || place, 0, message);
    } else place = known;
  }
  return merged;
}

/**
 * One message of the server as a bubble: the very bubble of this page when it says the same.
 * @param {Messages} kept
 * @param {import('./types.js').SnapshotMessage} message
 * @returns {MessageView}
 */
function adopt(kept, message) {
  const { messageId, author, content, finishReason = null, errorCode, requestId = null, createdAt } = message;
  const fresh = newMessage(author, requestId ?? '', createdAt);
  const id = requestId ? fresh.id : messageId;
  const mine = findMessage(kept, id) ?? fresh;
  const state = errorCode ? 'failed' : finishReason === 'aborted' ? finishReason : 'done';
  if (mine.messageId === messageId && mine.state === state && mine.text === content) return mine;
  const error = errorCode ? { code: errorCode, message: '', retryable: true } : null;
  const more = moreOf(message) ?? mine.more;
  const told = more && { more };
  return { ...fresh, ...withText(mine, content), id, requestId, messageId, state, finishReason, error, ...told };
}

/**
 * What events told beside the text, in their shape.
 * @param {import('./types.js').SnapshotMessage} message
 */
function moreOf({ sources, suggestions, feedback }) {
  if (!sources && !suggestions && !feedback) return undefined;
  return { ...(sources && { sources: { sources } }), ...(suggestions && { suggestions: { suggestions } }), feedback };
}

/**
 * The running turn in the light of the server's copy: ended when its answer is told, and read
 * from where the server says when the stream has another name.
 * @param {import('./types.js').Turn | null} turn
 * @param {Messages} told
 * @param {import('./types.js').ActiveStream | null} active
 */
function follow(turn, told, active) {
  if (!turn || told.some(({ id }) => id === answerId(turn.requestId))) return null;
  if (active?.requestId !== turn.requestId || active.streamId === turn.streamId) return turn;
  return { ...turn, streamId: active.streamId, cursor: active.lastEventId };
}
