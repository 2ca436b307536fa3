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
  let waiting = [];
  let active = 0;

  function start() {
    while (active < maxConcurrent && waiting.length) {
      const { item, resolve, reject } = /** @type {(typeof waiting)[0]} */ (waiting.shift());
      active += 1;
      // The async wrapper turns a synchronous throw of `run` into a rejection.
      (async () => run(item))().then(resolve, reject).finally(() => {
        active -= 1;
        start();
      });
    }
  }

  return {
    add(item) {
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        start();
      });
    },
    get pending() {
      return waiting.length;
    },
    get active() {
      return active;
    },
    clear() {
      const dropped = waiting;
      waiting = [];
      for (const { resolve } of dropped) resolve();
      return dropped.map(({ item }) => item);
    },
  };
}
