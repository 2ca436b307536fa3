/**
 * Asks questions and keeps the state in step with the server: sends, follows, resumes, stops.
 */

import { reduce } from './conversation.js';
import { asChatError, chatError } from './errors.js';
import { createFollower } from './follow.js';
import { createLine } from './line.js';
import { answerId, questionId } from './messages.js';
import { createQueue } from './queue.js';
import { createTransport } from './transport.js';

/** Silence after which a connection is not trusted when the visitor comes back: a heartbeat and a bit. */
const STALE_MS = 17_000;

/** @typedef {import('./types.js').ClientOptions} ClientOptions */

/**
 * What the parts of the client share. `current` is the answer under way: null ends every loop that
 * works for it.
 * @typedef {ClientOptions & {
 *   dispatch: (action: import('./types.js').Action) => void,
 *   current: () => import('./types.js').Turn | null,
 *   isOver: () => boolean,
 * }} Core
 */

/**
 * All work goes through one queue, one thing at a time: a question never races the reading of the
 * conversation, and an answer is followed once.
 * @param {ClientOptions} options
 * @returns {import('./types.js').Client}
 */
export function createClient(options) {
  const { store, now, newId, sessionId, locale, page } = options;
  let hasEnded = false;

  /** @type {Core['dispatch']} */
  function dispatch(action) {
    if (!hasEnded) store.set(reduce(store.get(), action));
  }

  const isOver = () => hasEnded;
  const core = { ...options, dispatch, isOver, current: () => (hasEnded ? null : store.get().turn) };
  const line = createLine(core);
  const transport = createTransport(core);
  const { follow, load, abortIfStopped } = createFollower(core, line, transport);

  /** @type {import('./types.js').Queue<() => Promise<unknown>, void>} */
  const queue = createQueue({
    async run(job) {
      line.begin();
      try {
        await job();
      } finally {
        // Whatever went wrong, no answer is left without an end.
        dispatch({ type: 'fail', error: { code: 'STREAM_ERROR', message: '', retryable: true } });
        if (!queue.pending) line.show('idle');
      }
    },
  });

  /** @param {string} id */
  const find = (id) => store.get().messages.find((message) => message.id === id);

  /**
   * Reads the conversation, trying until it works, then follows the running answer unless it was
   * seen already.
   * @param {() => void} [onTold] called before the following
   * @returns {Promise<boolean>} whether there was one
   */
  async function join(onTold) {
    while (!hasEnded) {
      try {
        const { activeStream } = await load();
        onTold?.();
        if (!activeStream || find(answerId(activeStream.requestId))) break;
        const { requestId, streamId, lastEventId } = activeStream;
        return follow({ requestId, streamId, cursor: lastEventId });
      } catch (fault) {
        const error = asChatError(fault);
        if (!error.retryable) break;
        await line.hold(error);
      }
    }
    return false;
  }

  /**
   * @param {string} requestId
   * @param {object} body
   */
  async function question(requestId, body) {
    // It is gone from the state when it was dropped, or the conversation erased.
    while (!hasEnded && find(questionId(requestId))) {
      if (await follow({ requestId }, body)) return;
      // Another answer is running, asked from another tab: show it, then ask again.
      if (!(await join())) await line.hold(chatError('TURN_RUNNING'));
    }
  }

  /** @param {string} text */
  async function ask(text) {
    const message = text.trim();
    if (!message || hasEnded) return;
    const requestId = newId();
    const body = { message, sessionId, requestId, page: page?.(), locale };
    dispatch({ type: 'ask', requestId, text: message, at: now() });
    line.refresh();
    line.wake();
    await queue.add(() => question(requestId, body));
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
      void abortIfStopped();
    },

    async retry(id) {
      const answer = find(id);
      const asked = answer?.requestId && find(questionId(answer.requestId));
      if (answer?.state !== 'failed') resumeNow();
      else if (asked) await ask(asked.text);
    },

    restore: () => new Promise((resolve) => void queue.add(() => join(resolve)).finally(resolve)),

    clearQueue() {
      queue.clear();
      dispatch({ type: 'drop' });
      line.wake();
    },

    async erase() {
      await transport.exchange('DELETE', '/conversation', ({ status }) => status === 204);
      dispatch({ type: 'clear' });
      cutOff();
    },

    destroy() {
      hasEnded = true;
      cutOff();
    },
  };
}
