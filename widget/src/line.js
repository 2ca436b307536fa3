/**
 * The connection as the visitor sees it, and the patience between two attempts.
 */

import { createBackoff } from './backoff.js';

const GIVE_UP_MS = 300_000;

/** @type {Extract<import('./types.js').Action, {type: 'connection'}>} */
const IDLE = { type: 'connection', connection: 'idle' };

/** @typedef {ReturnType<typeof createLine>} Line */

/**
 * What a client stands on.
 * @typedef {import('./types.js').ClientOptions & {
 *   dispatch: (action: import('./types.js').Action) => void,
 *   isOver: () => boolean,
 * }} Ground
 */

/**
 * @param {Ground} ground
 */
export function createLine({ store, dispatch, isOver, now, random, schedule }) {
  const backoff = createBackoff({ random });
  /** What ends each pause, and whether the server asked for it. @type {Map<() => void, boolean>} */
  const pauses = new Map();
  let shown = IDLE;
  let heardAt = 0;

  /** Shows the connection anew: what is worth showing may have changed. */
  function refresh() {
    const { turn, queued } = store.get();
    // After Stop the rest is between us and the server, unless a question waits for it to end.
    dispatch(turn?.isStopped && !queued ? IDLE : shown);
  }

  /**
   * @param {import('./types.js').Connection} connection
   * @param {import('./types.js').Wait} [wait]
   */
  function show(connection, wait) {
    shown = { type: 'connection', connection, wait };
    refresh();
  }

  /** A piece of work begins, with patience of its own. */
  function begin() {
    heardAt = now();
    backoff.reset();
  }

  /**
   * Infinity waits until woken.
   * @param {number} ms
   * @param {boolean} [isFirm] whether the server asked for it
   * @returns {Promise<void>}
   */
  function pause(ms, isFirm = false) {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        pauses.delete(end);
        resolve();
      };
      const cancel = ms < Infinity ? schedule(end, ms) : () => {};
      pauses.set(end, isFirm);
    });
  }

  return {
    backoff,
    show,
    refresh,
    begin,

    /** Something of ours arrived. */
    hear() {
      heardAt = now();
    },

    /** Ends the pauses: those that the server asked for only when it must be. */
    wake(evenFirm = false) {
      for (const [end, isFirm] of pauses) if (evenFirm || !isFirm) end();
    },

    /**
     * Waits before another attempt. After five minutes without a byte it waits to be woken.
     * @param {Pick<import('./errors.js').ChatError, 'code' | 'delayMs'>} cause
     */
    async hold({ code, delayMs }) {
      if (isOver()) return;
      if (now() - heardAt < GIVE_UP_MS) {
        const ms = delayMs + backoff.next();
        show('reconnecting', { code, until: now() + ms });
        await pause(ms, delayMs > 0);
      } else {
        show('lost');
        await pause(Infinity);
        begin();
      }
      show('reconnecting');
    },
  };
}
