/**
 * Requests to the server. Each lives on a link that is cut when it stays silent for too long: a
 * network that changed under a connection does not always say so.
 */

import { chatError, CONNECTION_LOST } from './errors.js';
import { refusal } from './response.js';

/** The server's heartbeat comes every 15 s: two and a half of them without a byte is a drop. */
export const SILENCE_MS = 37_500;

/** @typedef {import('./response.js').Reply} Reply */

/**
 * One request. What it waits for rejects with a ChatError `CONNECTION_LOST` when nothing comes.
 * @typedef {object} Link
 * @property {() => Promise<Reply>} reply
 * @property {() => AsyncIterable<Uint8Array>} bytes the body, as it comes
 * @property {() => void} close
 */

/** @typedef {ReturnType<typeof createTransport>} Transport */

/**
 * @param {Pick<import('./types.js').ClientOptions, 'endpoint' | 'sessionId' | 'fetch' | 'now' | 'schedule'>} options
 */
export function createTransport({ endpoint, sessionId, fetch = globalThis.fetch, now, schedule }) {
  /** What cuts each link, and when something was last heard on it. @type {Map<() => void, number>} */
  const links = new Map();

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @param {string} [cursor]
   * @returns {Link}
   */
  function open(method, path, body, cursor) {
    const controller = new AbortController();
    const abort = () => controller.abort();
    let disarm = () => {};

    function arm() {
      disarm();
      links.set(abort, now());
      disarm = schedule(abort, SILENCE_MS);
    }

    /** @template T @param {Promise<T>} promise */
    async function hear(promise) {
      const value = await promise.catch(() => {
        throw chatError(CONNECTION_LOST);
      });
      arm();
      return value;
    }

    arm();
    const response = fetch(endpoint + path, {
      method,
      body: JSON.stringify(body),
      // What has a body carries in it who is asking.
      headers: body
        ? { 'Content-Type': 'application/json' }
        : { Authorization: `Bearer ${sessionId}`, ...(cursor && { 'Last-Event-ID': cursor }) },
      signal: controller.signal,
      credentials: 'omit',
      cache: 'no-store',
      // The session id is a secret: it does not follow a redirect to somebody else.
      redirect: 'error',
    });
    return {
      reply: async () => readReply(await hear(response)),
      async *bytes() {
        const reader = /** @type {ReadableStream<Uint8Array>} */ ((await response).body).getReader();
        let chunk = await hear(reader.read());
        for (; chunk.value; chunk = await hear(reader.read())) yield chunk.value;
      },
      close() {
        links.delete(abort);
        disarm();
        abort();
      },
    };
  }

  return {
    open,

    /**
     * A request and its reply. Rejects with a ChatError unless the reply is what was asked for.
     * @param {string} method
     * @param {string} path
     * @param {(reply: Reply) => unknown} isGood
     * @param {object} [body]
     * @returns {Promise<any>} the body of the reply
     */
    async exchange(method, path, isGood, body) {
      const link = open(method, path, body);
      try {
        const reply = await link.reply();
        if (isGood(reply)) return reply.body;
        throw refusal(reply);
      } finally {
        link.close();
      }
    },

    /**
     * Cuts the links that were silent for that long; all of them by default.
     * @param {number} [silentMs]
     */
    cut(silentMs = 0) {
      for (const [abort, heardAt] of links) if (now() - heardAt >= silentMs) abort();
    },
  };
}

/**
 * @param {Response} response
 * @returns {Promise<Reply>}
 */
async function readReply(response) {
  const { status, headers } = response;
  const isJson = /^application\/json\b/i.test(headers.get('Content-Type') ?? '');
  // A body that was cut, or is no JSON after all, tells no more than none.
  return { status, headers, body: isJson ? await response.json().catch(() => null) : null };
}
