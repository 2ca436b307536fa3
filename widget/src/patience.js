/**
 * Asks the server again until it has an opinion.
 */

import { createBackoff } from './backoff.js';
import { schedule } from './dom.js';
import { asChatError } from './errors.js';

/**
 * What `ask` comes to at last. Rejects with a ChatError that asking again does not help, or with the last one once
 * nobody wants it any more.
 *
 * @template T
 * @param {() => Promise<T>} ask
 * @param {() => boolean} isWanted
 * @returns {Promise<T>}
 */
export async function insist(ask, isWanted) {
  const backoff = createBackoff(Math.random);
  for (;;) {
    try {
      return await ask();
    } catch (fault) {
      const { retryable, delayMs } = asChatError(fault);
      if (!retryable || !isWanted()) throw fault;
      await pause(delayMs + backoff.next());
    }
  }
}

/**
 * Ends sooner when the line is back.
 *
 * @param {number} ms
 * @returns {Promise<void>}
 */
function pause(ms) {
  return new Promise((resolve) => {
    schedule(resolve, ms);
    window.addEventListener('online', () => resolve(), { once: true });
  });
}
