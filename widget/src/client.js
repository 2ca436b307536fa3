/**
 * Asks questions and keeps the state in step with the server: sends, follows, resumes, stops.
 */

import { createCore } from './core.js';
import { createJobs } from './jobs.js';
import { questionId } from './messages.js';
import { createQueue } from './queue.js';

/** Silence after which a connection is not trusted when the visitor comes back: a heartbeat and a bit. */
const STALE_MS = 17_000;

/**
 * All work goes through one queue, one thing at a time: a question never races the reading of the
 * conversation, and an answer is followed once.
 * @param {import('./types.js').ClientOptions} options
 * @returns {import('./types.js').Client}
 */
export function createClient(options) {
  const { store, now, newId, sessionId, locale, page } = options;
  const core = createCore(options);
  const jobs = createJobs(core);
  const { dispatch, pauses, transport } = core;

  /** @type {import('./types.js').Queue<() => Promise<void>, void>} */
  const queue = createQueue({
    async run(job) {
      try {
        await job();
      } finally {
        // Whatever went wrong, no answer is left without an end.
        dispatch({ type: 'fail', error: { code: 'STREAM_ERROR', message: '', retryable: true } });
        if (!queue.pending) jobs.line.show('idle');
      }
    },
  });

  /** @param {string} id */
  const find = (id) => store.get().messages.find((message) => message.id === id);

  /** @param {string} text */
  async function ask(text) {
    const message = text.trim();
    if (!message || core.isOver()) return;
    const requestId = newId();
    const body = { message, sessionId, requestId, page: page?.(), locale };
    dispatch({ type: 'ask', requestId, text: message, at: now() });
    jobs.line.refresh();
    pauses.wake();
    await queue.add(() => jobs.question(requestId, body));
  }

  /** @param {() => void} onTold */
  async function restore(onTold) {
    const isRestored = await jobs.restore(() => queue.pending > 0, onTold);
    if (!isRestored) queue.add(() => restore(onTold));
  }

  function resumeNow() {
    transport.cut(STALE_MS);
    pauses.wake();
  }

  return {
    ask,
    resumeNow,

    stop() {
      dispatch({ type: 'stop' });
      jobs.line.refresh();
      if (!core.current()) return;
      pauses.wake(true);
      jobs.abortIfStopped();
    },

    async retry(id) {
      const answer = find(id);
      const question = answer?.requestId && find(questionId(answer.requestId));
      if (answer?.state !== 'failed') resumeNow();
      else if (question) await ask(question.text);
    },

    restore: () => new Promise((resolve) => void queue.add(() => restore(resolve)).finally(resolve)),

    clearQueue() {
      queue.clear();
      dispatch({ type: 'drop' });
      pauses.wake();
    },

    async erase() {
      await jobs.erase();
      queue.clear();
      dispatch({ type: 'clear' });
      transport.cut();
      pauses.wake(true);
    },

    destroy() {
      queue.clear();
      core.end();
    },
  };
}
