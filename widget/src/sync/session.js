import { forgetSession, keepSession, reach, readSession, SESSION_SHAPE } from '../storage.js';

/** @typedef {ReturnType<typeof createMemory>} Session */

/**
 * Who the visitor is to the server. What storage does not keep is known as long as a tab lives:
 * one tells it to the next.
 * @param {string} endpoint
 * @param {() => Storage} [area]
 */
export function createMemory(endpoint, area = () => localStorage) {
  const earlierKey = `chatbubble:earlier:${endpoint}`;
  /** @type {string | null} */
  let heard = null;
  const letGo = () => void reach(area, (storage) => storage.removeItem(earlierKey));
  return {
    /** @returns {string | null} null before the first question */
    read: () => readSession(endpoint, area) ?? heard,
    /** @param {string} [sessionId] by default a new one */
    keep: (sessionId) => (heard = keepSession(endpoint, sessionId, area)),
    /** @param {string | null} sessionId what another tab works with */
    learn(sessionId) {
      heard = sessionId;
    },
    forget() {
      heard = null;
      forgetSession(endpoint, area);
      letGo();
    },

    /**
     * Who a person was before a page named them, until they have said what becomes of what they wrote then.
     * @returns {string | null}
     */
    earlier() {
      const stored = reach(area, (storage) => storage.getItem(earlierKey));
      return stored && SESSION_SHAPE.test(stored) ? stored : null;
    },
    /** @param {string} sessionId */
    setAside: (sessionId) => void reach(area, (storage) => storage.setItem(earlierKey, sessionId)),
    letGo,
  };
}
