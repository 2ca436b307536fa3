/**
 * What the server's operator has set for everyone: title, greeting, accent.
 *
 * @param {string} endpoint
 * @param {AbortSignal} signal
 * @param {typeof globalThis.fetch} [fetch]
 * @returns {Promise<Record<string, unknown>>} empty when the server cannot be asked: the chat has
 *   words of its own, and says by itself when it cannot reach the server
 */
export async function readConfig(endpoint, signal, fetch = globalThis.fetch) {
  try {
    const response = await fetch(`${endpoint}/config`, { signal, credentials: 'omit' });
    return response.ok ? await response.json() : {};
  } catch {
    return {};
  }
}
