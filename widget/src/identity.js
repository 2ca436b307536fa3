/**
 * Has the server read who a visitor is. Fetched where a page tells that, and nowhere else.
 */

import { createBackoff } from './backoff.js';
import { schedule } from './dom.js';
import { asChatError } from './errors.js';
import { createTransport } from './transport.js';

/**
 * Asks until the server has an opinion, or nobody wants it any more. Rejects with a ChatError.
 *
 * @param {string} endpoint
 * @param {string} token made by the site's own server
 * @param {() => boolean} isWanted
 * @returns {Promise<string>} the session id of the person whom the token names
 */
export async function identify(endpoint, token, isWanted) {
  /** @type {typeof fetch} */
  const send = (...request) => fetch(...request);
  const transport = createTransport({ endpoint, sessionId: '', fetch: send, now: Date.now, schedule });
  const backoff = createBackoff(Math.random);
  for (;;) {
    try {
      const isGood = (/** @type {import('./response.js').Reply} */ { body }) => /^signed_/.test(body?.sessionId);
      return (await transport.exchange('POST', '/identify', isGood, { token })).sessionId;
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
