/**
 * A value that can be watched. Listeners get the current value; one that throws is reported and
 * silences no other.
 * @template Value
 * @param {Value} initial
 * @param {(error: unknown) => void} report where a listener's error goes
 * @returns {import('./types.js').Store<Value>}
 */
export function createStore(initial, report) {
  let value = initial;
  /** @type {Set<{call: (value: Value) => void}>} */
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) {
        if (!listeners.has(listener)) continue;
        try {
          listener.call(value);
        } catch (error) {
          report(error);
        }
      }
    },
    subscribe(call) {
      const listener = { call };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
