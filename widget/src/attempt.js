/**
 * One connection to the server for one answer: posted or resumed, read until it ends.
 */

import { reduce } from './conversation.js';
import { hasStream } from './response.js';
import { createDecoder } from './sse.js';

const HEALTHY_MS = 10_000;

/** @typedef {import('./types.js').Backoff} Backoff */

/**
 * @param {import('./core.js').Core} core
 * @param {import('./line.js').Line} line
 * @param {() => Promise<void>} abortIfStopped called whenever the stream may have got its name
 */
export function createAttempt({ store, dispatch, current, transport, now }, line, abortIfStopped) {
  /**
   * Reads events until the answer is settled, does not fit, or the body ends.
   * @param {import('./transport.js').Link} link
   * @param {Backoff} backoff
   */
  async function read(link, backoff) {
    let state = store.get();
    const decoder = createDecoder({
      onEvent: (event) => (state = reduce(state, { type: 'event', event })),
      onRetry: backoff.setRetry,
    });
    for (let bytes = await link.read(); bytes && current(); bytes = await link.read()) {
      line.hear();
      // One change of the state for all events that came together.
      state = store.get();
      decoder.push(bytes);
      store.set(state);
      void abortIfStopped();
      if (!current() || current()?.isTorn) break;
    }
  }

  /**
   * Resolves with whether there was a stream to read; it may have ended in the middle. Rejects
   * with a ChatError.
   * @param {import('./types.js').Turn} turn
   * @param {object | undefined} body what to post while the stream has no name
   * @param {Backoff} backoff
   */
  return async ({ streamId, cursor }, body, backoff) => {
    dispatch({ type: 'resume' });
    const link = streamId
      ? transport.open('GET', `/chat/${streamId}`, undefined, cursor)
      : transport.open('POST', '/chat', body);
    const openedAt = now();
    try {
      if (!hasStream(await link.reply(), now(), streamId !== null)) return false;
      line.show('streaming');
      await read(link, backoff);
      return true;
    } finally {
      link.close();
      if (now() - openedAt >= HEALTHY_MS) backoff.reset();
    }
  };
}
