/**
 * Questions that the server does not have yet, kept in localStorage so that they outlive the page.
 * Each under a key of its own, so that two tabs never write over each other. Where storage is
 * blocked or full they live as long as the page.
 */

import { reach } from '../storage.js';

/** What was left longer ago is not asked any more: the visitor does not expect it. */
const LIFE_MS = 86_400_000;

/**
 * @typedef {object} Question
 * @property {string} requestId made by the tab in which it was asked: the server takes each once
 * @property {string} text
 * @property {string | undefined} replaces
 * @property {number} at when it was asked
 */

/** @typedef {ReturnType<typeof createOutbox>} Outbox */

/**
 * @param {string} endpoint
 * @param {() => number} [now]
 * @param {() => Storage} [area]
 */
export function createOutbox(endpoint, now = Date.now, area = () => localStorage) {
  const prefix = `chatbubble:unsent:${endpoint}:`;
  /** @param {string} requestId */
  const remove = (requestId) => void reach(area, (storage) => storage.removeItem(prefix + requestId));

  return {
    /** @param {Question} question */
    put({ requestId, text, replaces, at }) {
      reach(area, (storage) => storage.setItem(prefix + requestId, JSON.stringify([at, text, replaces])));
    },

    remove,

    /** @returns {Question[]} in no particular order */
    read() {
      const keys = reach(area, (storage) => Object.keys(storage).filter((key) => key.startsWith(prefix))) ?? [];
      return keys.flatMap((key) => {
        const requestId = key.slice(prefix.length);
        const [at, text, replaces] = parse(reach(area, (storage) => storage.getItem(key)));
        if (text && now() - at < LIFE_MS) return { requestId, text: `${text}`, replaces: replaces ?? undefined, at };
        remove(requestId);
        return [];
      });
    },
  };
}

/**
 * @param {string | null} json
 * @returns {any[]}
 */
function parse(json) {
  try {
    const value = JSON.parse(json ?? '');
    return Array.isArray(value) ? value : [];
  } catch {
    // Not ours, or cut by a browser that died.
    return [];
  }
}
