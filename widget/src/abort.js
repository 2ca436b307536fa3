/**
 * Stop, on its way to the server.
 */

import { createBackoff } from './backoff.js';
import { asChatError } from './errors.js';

/**
 * A function that tells the server of a Stop once the stream has a name, until the server has
 * heard it or the answer is settled. It may be called at any time, as often as one likes.
 * @param {import('./core.js').Core} core
 * @returns {() => Promise<void>}
 */
export function createAbort({ current, transport, pauses, random }) {
  /** The stream whose abort is under way or done. */
  let abortedId = '';

  return async () => {
    const turn = current();
    if (!turn?.isStopped || !turn.streamId || turn.streamId === abortedId) return;
    const streamId = (abortedId = turn.streamId);
    const backoff = createBackoff({ random });
    while (current()?.streamId === streamId) {
      try {
        // Only our server's own word counts: a login page says 200 to anything.
        return await transport.exchange('POST', `/chat/${streamId}/abort`, ({ body }) => Boolean(body?.state));
      } catch (fault) {
        if (!asChatError(fault).retryable) return;
        await pauses.wait(backoff.next());
      }
    }
  };
}
