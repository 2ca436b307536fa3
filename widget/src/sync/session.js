import { forgetSession, keepSession, readSession } from '../storage.js';

/** @typedef {ReturnType<typeof createMemory>} Session */

/**
 * Who the visitor is to the server. What storage does not keep is known as long as a tab lives:
 * one tells it to the next.
 * @param {string} endpoint
 * @param {() => Storage} [area]
 */
export function createMemory(endpoint, area) {
  /** @type {string | null} */
  let heard = null;
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
    },
  };
}
