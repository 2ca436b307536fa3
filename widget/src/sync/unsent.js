/**
 * The questions of all tabs that the server does not have yet: kept over a reload, shown as queued,
 * gone once the server has them.
 */

import { reduce } from '../conversation.js';
import { findMessage, questionId } from '../messages.js';

/** @typedef {import('../types.js').State} State */
/** @typedef {import('./outbox.js').Question} Question */
/** @typedef {ReturnType<typeof createUnsent>} Unsent */

/** @param {import('./outbox.js').Outbox} outbox */
export function createUnsent(outbox) {
  /** @type {Map<string, Question>} */
  const questions = new Map();

  /** @param {string} requestId */
  function drop(requestId) {
    questions.delete(requestId);
    outbox.remove(requestId);
  }

  return {
    drop,
    /** @param {string} requestId */
    has: (requestId) => questions.has(requestId),

    /** @returns {Question[]} in the order in which they were asked */
    list: () => [...questions.values()].sort((a, b) => a.at - b.at),

    /** @param {Question} question */
    add(question) {
      questions.set(question.requestId, question);
      outbox.put(question);
    },

    /**
     * Takes over what earlier pages and other tabs have left, in storage and on screen.
     * @param {State} state
     */
    collect({ messages }) {
      for (const question of outbox.read()) questions.set(question.requestId, question);
      for (const { author, state, requestId, text, createdAt } of messages) {
        if (author !== 'visitor' || !requestId || !isUnsent(state) || questions.has(requestId)) continue;
        questions.set(requestId, { requestId, text, replaces: undefined, at: createdAt });
      }
    },

    /**
     * Forgets those that the server has.
     * @param {State} state
     */
    settle({ messages }) {
      for (const requestId of questions.keys()) {
        const question = findMessage(messages, questionId(requestId));
        if (question && !isUnsent(question.state)) drop(requestId);
      }
    },

    /**
     * The state with a bubble for each.
     * @param {State} state
     */
    shown(state) {
      for (const { requestId, text, replaces, at } of this.list()) {
        if (findMessage(state.messages, questionId(requestId))) continue;
        state = reduce(state, { type: 'ask', requestId, text, at, replaces });
      }
      return state;
    },

    clear() {
      for (const requestId of questions.keys()) drop(requestId);
      for (const { requestId } of outbox.read()) drop(requestId);
    },
  };
}

/** @param {import('../types.js').MessageState} state */
const isUnsent = (state) => state === 'queued' || state === 'sending';

/**
 * The state without a question that still waits to be sent.
 * @param {State} state
 * @param {string} requestId
 * @returns {State}
 */
export function withoutQuestion(state, requestId) {
  const messages = state.messages.filter(({ id, state: stage }) => id !== questionId(requestId) || stage !== 'queued');
  return { ...state, messages, queued: messages.filter(({ state: stage }) => stage === 'queued').length };
}
