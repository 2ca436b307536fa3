/**
 * Asks questions and keeps the state in step with the server: sends, follows, resumes, stops.
 */

import { reduce } from './conversation.js';
import { asChatError, chatError } from './errors.js';
import { abortIfStopped, follow, load } from './follow.js';
import { createLine } from './line.js';
import { answerId, findMessage, questionId } from './messages.js';
import { createQueue } from './queue.js';
import { createTransport } from './transport.js';

/** Silence after which a connection is not trusted when the visitor comes back: a heartbeat and a bit. */
const STALE_MS = 17_000;

/** @typedef {import('./follow.js').Core} Core */

/**
 * All work goes through one queue, one thing at a time: a question never races the reading of the
 * conversation, and an answer is followed once.
 * @param {import('./types.js').ClientOptions} options
 * @returns {import('./types.js').Client}
 */
export function createClient(options) {
  const { now, newId, sessionId, locale, page } = options;
  const core = createCore(options);
  const { dispatch, line, transport } = core;

  /** @type {import('./types.js').Queue<() => Promise<unknown>, void>} */
  const queue = createQueue({
    async run(job) {
      line.begin();
      try {
        await job();
      } finally {
        // Whatever went wrong, no answer is left without an end.
        dispatch({ type: 'fail', error: { code: 'STREAM_ERROR' } });
        if (!queue.pending) line.show('idle');
      }
    },
  });

  /**
   * @param {string} text
   * @param {string} [replaces]
   * @param {string} [requestId]
   */
  async function ask(text, replaces, requestId = newId()) {
    const message = text.trim();
    if (!message || core.isOver) return;
    const body = { message, sessionId, requestId, replaces, page: page?.(), locale };
    dispatch({ type: 'ask', requestId, text: message, at: now(), replaces });
    line.refresh();
    line.wake();
    await queue.add(() => runQuestion(core, requestId, body));
  }

  function resumeNow() {
    transport.cut(STALE_MS);
    line.wake();
  }

  /** Ends what runs and drops what waits. */
  function cutOff() {
    queue.clear();
    transport.cut();
    line.wake(true);
  }

  return {
    ask,
    resumeNow,

    stop() {
      if (!core.current()) return;
      dispatch({ type: 'stop' });
      line.refresh();
      line.wake(true);
      void abortIfStopped(core);
    },

    async retry(id) {
      const answer = find(core, id);
      const question = answer?.requestId && find(core, questionId(answer.requestId));
      if (answer?.state !== 'failed') resumeNow();
      else if (question) await ask(question.text, `${question.requestId}`);
    },

    restore: () => new Promise((resolve) => void queue.add(() => join(core, resolve)).finally(resolve)),

    async erase() {
      await transport.exchange('DELETE', '/conversation', ({ status }) => status === 204);
      dispatch({ type: 'clear' });
      cutOff();
    },

    destroy() {
      core.isOver = true;
      cutOff();
    },
  };
}

/** @param {import('./types.js').ClientOptions} options */
function createCore(options) {
  const { store } = options;
  /** @type {import('./line.js').Ground} */
  const ground = {
    ...options,
    isOver: false,
    dispatch(action) {
      if (!ground.isOver) store.set(reduce(store.get(), action));
    },
    current: () => (ground.isOver ? null : store.get().turn),
  };
  return Object.assign(ground, { aborted: new Set(), line: createLine(ground), transport: createTransport(options) });
}

/**
 * Asks one question and follows its answer to the end.
 * @param {Core} core
 * @param {string} requestId
 * @param {object} body of the POST, the same at each attempt
 */
async function runQuestion(core, requestId, body) {
  // It is gone from the state when it was dropped, or the conversation erased; and it may have arrived before.
  while (!core.isOver && find(core, questionId(requestId))?.state === 'queued') {
    if (await follow(core, { requestId }, body)) return;
    // Another answer is running, asked from another tab: show it, then ask again.
    if (!(await join(core))) await core.line.hold(chatError('TURN_RUNNING'));
  }
}

/**
 * Reads the conversation, trying until it works, then follows the running answer unless it was
 * seen already.
 * @param {Core} core
 * @param {() => void} [onTold] called before the following
 * @returns {Promise<boolean>} whether there was one
 */
async function join(core, onTold) {
  while (!core.isOver) {
    try {
      const { activeStream } = await load(core);
      onTold?.();
      // An answer that another tab was following until now goes on from where it is.
      const turn = core.current();
      if (turn) return follow(core, turn);
      if (!activeStream || find(core, answerId(activeStream.requestId))) return false;
      return follow(core, { ...activeStream, cursor: activeStream.lastEventId });
    } catch (fault) {
      const error = asChatError(fault);
      if (!error.retryable) return false;
      await core.line.hold(error);
    }
  }
  return false;
}

/**
 * @param {Core} core
 * @param {string} id
 */
function find({ store }, id) {
  return findMessage(store.get().messages, id);
}
