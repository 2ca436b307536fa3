/**
 * Waits that can be cut short.
 * @typedef {object} Pauses
 * @property {(ms: number, isFirm?: boolean) => Promise<void>} wait Infinity waits until woken; a
 *   firm wait is one that the server asked for
 * @property {(evenFirm?: boolean) => void} wake ends the waits
 * @property {() => void} close ends every wait, and each new one at once
 */

/**
 * @param {import('./types.js').Schedule} schedule
 * @returns {Pauses}
 */
export function createPauses(schedule) {
  /** @type {Map<() => void, boolean>} */
  const sleepers = new Map();
  let isClosed = false;

  /** @param {boolean} [evenFirm] */
  function wake(evenFirm = false) {
    for (const [rise, isFirm] of [...sleepers]) if (evenFirm || !isFirm) rise();
  }

  return {
    wait: (ms, isFirm = false) =>
      new Promise((resolve) => {
        if (isClosed) return resolve();
        const rise = () => {
          cancel();
          sleepers.delete(rise);
          resolve();
        };
        const cancel = ms === Infinity ? () => {} : schedule(rise, ms);
        sleepers.set(rise, isFirm);
      }),
    wake,
    close() {
      isClosed = true;
      wake(true);
    },
  };
}
