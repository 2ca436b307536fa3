/**
 * What the server's operator has set for everyone: title, greeting, accent.
 *
 * @param {object} parts
 * @param {string} parts.endpoint
 * @param {typeof globalThis.fetch} parts.fetch
 * @param {AbortSignal} parts.signal
 * @returns {Promise<Record<string, unknown>>} empty when the server cannot be asked: the chat has
 *   words of its own, and says by itself when it cannot reach the server
 */
export async function readConfig({ endpoint, fetch, signal }) {
  try {
    const response = await fetch(`${endpoint}/config`, { signal, credentials: 'omit' });
    return response.ok ? await response.json() : {};
  } catch {
    return {};
  }
}
