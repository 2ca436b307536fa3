/**
 * The failures the widget itself can name. Everything else carries the server's own code.
 */

/** Codes made here, beside those of the server. `strings.js` has words for each. */
export const CLIENT_CODES = Object.freeze({
  /** No usable answer came: no network, a cut, or a page that is not ours (a hotel's login). */
  CONNECTION_LOST: 'CONNECTION_LOST',
  /** The running answer is no longer held by the server, nor is its end. */
  ANSWER_LOST: 'ANSWER_LOST',
  /** 401 or 403 without a reason of ours. */
  REFUSED: 'REFUSED',
  /** A line or event of a stream is longer than anybody should send. */
  FRAME_TOO_LARGE: 'FRAME_TOO_LARGE',
});

/** @typedef {Error & {code: string, retryable: boolean}} ChatError */

/**
 * An Error with a code from the list above or from the server.
 * @param {string} code
 * @param {string} message what was expected and what came, in English
 * @param {boolean} [retryable] whether trying again may help
 * @returns {ChatError}
 */
export function chatError(code, message, retryable = true) {
  return Object.assign(new Error(message), { code, retryable });
}
