/**
 * The connection as the visitor sees it, and the patience between two attempts.
 */

const GIVE_UP_MS = 300_000;

/** @typedef {ReturnType<typeof createLine>} Line */

/**
 * @param {import('./core.js').Core} core
 */
export function createLine({ store, dispatch, pauses, now }) {
  /** @type {Extract<import('./types.js').Action, {type: 'connection'}>} */
  let shown = { type: 'connection', connection: 'idle' };
  let heardAt = 0;

  /** Shows the connection anew: what is worth showing may have changed. */
  function refresh() {
    const { turn, queued } = store.get();
    // After Stop the rest is between us and the server, unless a question waits for it to end.
    dispatch(turn?.isStopped && !queued ? { type: 'connection', connection: 'idle' } : shown);
  }

  /**
   * @param {import('./types.js').Connection} connection
   * @param {import('./types.js').Wait} [wait]
   */
  function show(connection, wait) {
    shown = { type: 'connection', connection, wait };
    refresh();
  }

  /** Something of ours arrived, or the patience starts anew. */
  function hear() {
    heardAt = now();
  }

  return {
    show,
    refresh,
    hear,

    /**
     * Waits before another attempt. After five minutes without a byte it waits to be woken.
     * @param {import('./types.js').Backoff} backoff
     * @param {Pick<import('./errors.js').ChatError, 'code' | 'delayMs'>} cause
     */
    async hold(backoff, { code, delayMs }) {
      if (now() - heardAt < GIVE_UP_MS) {
        const ms = delayMs + backoff.next();
        show('reconnecting', { code, until: now() + ms });
        await pauses.wait(ms, delayMs > 0);
      } else {
        show('lost');
        await pauses.wait(Infinity);
        hear();
        backoff.reset();
      }
      show('reconnecting');
    },
  };
}
