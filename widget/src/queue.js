/**
 * A request queue: at most `maxConcurrent` items run, the others wait in order.
 * @template Item, Result
 * @param {object} options
 * @param {number} [options.maxConcurrent]
 * @param {(item: Item) => Promise<Result> | Result} options.run
 * @returns {import('./types.js').Queue<Item, Result>}
 */
export function createQueue({ maxConcurrent = 1, run }) {
  /** @type {{item: Item, resolve: (result?: Result) => void, reject: (error: unknown) => void}[]} */
  const waiting = [];
  let active = 0;

  /** Runs the next item if there is one and room for it: once for each that came, and for each that ended. */
  async function start() {
    const next = active < maxConcurrent && waiting.shift();
    if (!next) return;
    active += 1;
    try {
      next.resolve(await run(next.item));
    } catch (error) {
      next.reject(error);
    }
    active -= 1;
    void start();
  }

  return {
    add(item) {
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        void start();
      });
    },
    get pending() {
      return waiting.length;
    },
    clear() {
      for (const { resolve } of waiting.splice(0)) resolve();
    },
  };
}
