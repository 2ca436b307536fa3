/**
 * What every part of the client shares: the state, the way to change it, requests and waits.
 */

import { reduce } from './conversation.js';
import { createPauses } from './pauses.js';
import { createTransport } from './transport.js';

/** @typedef {ReturnType<typeof createCore>} Core */

/**
 * @param {import('./types.js').ClientOptions} options
 */
export function createCore(options) {
  const { store, now, random, schedule } = options;
  const transport = createTransport(options);
  const pauses = createPauses(schedule);
  let isOver = false;

  return {
    store,
    now,
    random,
    transport,
    pauses,

    /** The answer under way. Null ends every loop that works for it. */
    current: () => (isOver ? null : store.get().turn),

    isOver: () => isOver,

    /** @param {import('./types.js').Action} action */
    dispatch(action) {
      if (!isOver) store.set(reduce(store.get(), action));
    },

    /** Nothing is sent, awaited or changed any more. */
    end() {
      isOver = true;
      transport.cut();
      pauses.close();
    },
  };
}
