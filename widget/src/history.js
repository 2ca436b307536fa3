/**
 * The server's copy of the conversation.
 */

import { createBackoff } from './backoff.js';
import { asChatError } from './errors.js';

/** @typedef {ReturnType<typeof createHistory>} History */
/** @typedef {import('./types.js').Snapshot} Snapshot */

/**
 * @param {import('./core.js').Core} core
 * @param {import('./line.js').Line} line
 */
export function createHistory({ store, dispatch, transport, isOver, random }, line) {
  /**
   * Reads the copy into the state, in one attempt. Rejects with a ChatError.
   * @returns {Promise<Snapshot>}
   */
  async function load() {
    const before = store.get();
    const snapshot = await transport.exchange('GET', '/conversation', ({ body }) => Array.isArray(body?.messages));
    dispatch({ type: 'snapshot', snapshot, before });
    return snapshot;
  }

  return {
    load,

    /**
     * Reads the copy, trying until it works. Undefined: refused, destroyed, or not worth another attempt.
     * @param {() => boolean} [isNeedless] asked after each failure
     * @returns {Promise<Snapshot | undefined>}
     */
    async loadPatiently(isNeedless = () => false) {
      const backoff = createBackoff({ random });
      line.hear();
      while (!isOver()) {
        try {
          return await load();
        } catch (fault) {
          const error = asChatError(fault);
          if (!error.retryable || isNeedless()) return undefined;
          await line.hold(backoff, error);
        }
      }
      return undefined;
    },

    /** Deletes the conversation on the server. Rejects with a ChatError unless the server confirmed. */
    erase: () => transport.exchange('DELETE', '/conversation', ({ status }) => status === 204),
  };
}
