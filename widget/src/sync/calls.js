import { asChatError, chatError } from '../errors.js';

/** @typedef {import('../errors.js').ChatError} ChatError */

/**
 * What a visitor wishes done by the tab that leads. A wish is told again to each new one until one
 * of them says that it was met.
 *
 * @param {object} parts
 * @param {(verb: string, detail?: string) => Promise<void>} parts.obey as the leading tab
 * @param {(message: object) => void} parts.post
 * @param {() => string} parts.newId
 */
export function createCalls({ obey, post, newId }) {
  /** @type {Map<string, {verb: string, detail: string | undefined, settle: (error?: ChatError) => void}>} */
  const calls = new Map();

  return {
    get size() {
      return calls.size;
    },

    /**
     * Resolves when it was done. Rejects with a ChatError.
     * @param {string} verb
     * @param {string} [detail]
     * @returns {Promise<void>}
     */
    add(verb, detail) {
      return new Promise((resolve, reject) => {
        calls.set(newId(), { verb, detail, settle: (error) => (error ? reject(error) : resolve()) });
      });
    },

    /**
     * Tells them to the tab that leads.
     * @param {(verb: string) => boolean} isMeant
     */
    post(isMeant) {
      for (const [id, { verb, detail }] of calls) if (isMeant(verb)) post({ type: 'call', id, verb, detail });
    },

    /** Meets them all: this tab leads. */
    obey() {
      for (const [id, { verb, detail, settle }] of calls) {
        calls.delete(id);
        obey(verb, detail).then(() => settle(), settle);
      }
    },

    /**
     * Meets that of another tab.
     * @param {{id: string, verb: string, detail?: string}} call
     */
    async serve({ id, verb, detail }) {
      let error;
      try {
        await obey(verb, detail);
      } catch (fault) {
        const { code, message, retryable } = asChatError(fault);
        error = { code, message, retryable };
      }
      post({ type: 'did', id, error });
    },

    /**
     * The tab that leads has done it, or failed.
     * @param {{id: string, error?: {code: string, message: string, retryable: boolean}}} reply
     */
    settle({ id, error }) {
      calls.get(id)?.settle(error && chatError(error.code, error.message, error.retryable));
      calls.delete(id);
    },
  };
}
