/**
 * The connection as the visitor sees it, and the patience between two attempts.
 */

import { createBackoff } from './backoff.js';
import { SESSION_EXPIRED } from './errors.js';

const GIVE_UP_MS = 300_000;
/** The longest that browsers' timers take, almost a month: until woken. */
const LONGEST_MS = 2 ** 31 - 1;

/** @type {Extract<import('./types.js').Action, {type: 'connection'}>} */
const IDLE = { type: 'connection', connection: 'idle' };

/** @typedef {ReturnType<typeof createLine>} Line */

/**
 * What a client stands on. `isOver`: it was destroyed, and the state no longer changes. `current` is
 * the answer under way: null ends every loop that works for it.
 * @typedef {import('./types.js').ClientOptions & {
 *   dispatch: (action: import('./types.js').Action) => void,
 *   isOver: boolean,
 *   current: () => import('./types.js').Turn | null,
 * }} Ground
 */

/**
 * @param {Ground} ground
 */
export function createLine(ground) {
  const { store, dispatch, now, random, schedule } = ground;
  const backoff = createBackoff(random);
  /** A pause that the server asked for ends only when it must. @type {(evenFirm?: boolean) => void} */
  let endPause = () => {};
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
   * At most one at a time: all work waits in one queue.
   * @param {number} ms
   * @param {boolean} [isFirm] whether the server asked for it
   * @returns {Promise<void>}
   */
  function pause(ms, isFirm) {
    return new Promise((resolve) => {
      const cancel = schedule(resolve, ms);
      endPause = (evenFirm) => {
        if (isFirm && !evenFirm) return;
        cancel();
        resolve();
      };
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

    /** @param {boolean} [evenFirm] */
    wake(evenFirm) {
      endPause(evenFirm);
    },

    /**
     * Waits before another attempt; without a byte for five minutes, or without a session, until it is woken.
     * @param {Pick<import('./errors.js').ChatError, 'code' | 'delayMs'>} cause
     */
    async hold({ code, delayMs }) {
      if (ground.isOver) return;
      const end = code === SESSION_EXPIRED ? { code, until: Infinity } : undefined;
      if (!end && now() - heardAt < GIVE_UP_MS) {
        const ms = delayMs + backoff.next();
        show('reconnecting', { code, until: now() + ms });
        await pause(ms, delayMs > 0);
      } else {
        show('lost', end);
        await pause(LONGEST_MS);
        begin();
      }
      show('reconnecting');
    },
  };
}
