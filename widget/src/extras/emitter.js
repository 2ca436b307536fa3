/**
 * The bubble's events: `chatbubble:<name>` on its element, from where they bubble through the page, and
 * to the listeners of `on`. The page's own dispatching sees to it that a listener that throws silences
 * no other.
 */

/** @typedef {import('../public.js').ChatEvents} ChatEvents */
/** @typedef {(detail: any) => void} Listener */

const NAMES = [
  'ready', 'open', 'close', 'send', 'token', 'answer', 'error', 'reconnect', 'feedback', 'unread', 'state',
];

/**
 * @typedef {object} Emitter
 * @property {<Name extends keyof ChatEvents>(name: Name, detail: ChatEvents[Name]) => void} emit
 * @property {(name: string, listener: Listener) => string} on returns what is wrong with it, if anything
 * @property {(name: string, listener: Listener) => void} off
 */

/**
 * What happens before the first listeners had their turn waits for them: those that the page has
 * registered in the meantime are told of it all.
 *
 * @param {HTMLElement} host
 * @param {AbortSignal} signal ends it: nothing is told afterwards
 * @param {(run: () => void) => void} later
 * @returns {Emitter}
 */
export function createEmitter(host, signal, later = (run) => void setTimeout(run)) {
  /** @type {Map<string, Map<Listener, EventListener>>} */
  const listeners = new Map(NAMES.map((name) => [name, new Map()]));
  /** What a late listener is told at once: the last detail of those that describe how things stand. */
  const standing = new Map();
  /** @type {[string, unknown][] | null} */
  let waiting = [];

  /**
   * @param {string} name
   * @param {unknown} detail
   */
  function dispatch(name, detail) {
    if (signal.aborted) return;
    host.dispatchEvent(new CustomEvent(`chatbubble:${name}`, { detail, bubbles: true, composed: true }));
  }

  later(() => {
    const all = waiting ?? [];
    waiting = null;
    for (const [name, detail] of all) dispatch(name, detail);
  });

  return {
    emit(name, detail) {
      if (name === 'ready' || name === 'state') standing.set(name, detail);
      if (waiting) waiting.push([name, detail]);
      else dispatch(name, detail);
    },
    on(name, listener) {
      const known = listeners.get(name);
      if (!known) return `Chatbubble: there is no event ${name}. There are ${NAMES.join(', ')}.`;
      if (typeof listener !== 'function') return `Chatbubble: on ${name} takes a function.`;
      if (known.has(listener)) return '';
      /** @type {EventListener} */
      const hear = (event) => listener(/** @type {CustomEvent} */ (event).detail);
      known.set(listener, hear);
      host.addEventListener(`chatbubble:${name}`, hear, { signal });
      if (!waiting && standing.has(name)) queueMicrotask(() => known.has(listener) && listener(standing.get(name)));
      return '';
    },
    off(name, listener) {
      const hear = listeners.get(name)?.get(listener);
      if (hear) host.removeEventListener(`chatbubble:${name}`, hear);
      listeners.get(name)?.delete(listener);
    },
  };
}
