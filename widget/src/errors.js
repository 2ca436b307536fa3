/**
 * The failures the widget itself can name. Everything else carries the server's own code.
 */

/** No usable answer came: no network, a cut, or a page that is not ours (a hotel's login). */
export const CONNECTION_LOST = 'CONNECTION_LOST';
/** The running answer is no longer held by the server, nor is its end. */
export const ANSWER_LOST = 'ANSWER_LOST';
/** 401 or 403 without a reason of ours. */
export const REFUSED = 'REFUSED';
/** A line or event of a stream is longer than anybody should send. */
export const FRAME_TOO_LARGE = 'FRAME_TOO_LARGE';

/** The browser says that there is no network: a question waits for it. */
export const OFFLINE = 'OFFLINE';

/** The session that the server gave is over: the page is to tell anew who its visitor is. */
export const SESSION_EXPIRED = 'SESSION_EXPIRED';

/** Codes made here, beside those of the server. `strings.js` has words for each. */
export const CLIENT_CODES = [CONNECTION_LOST, ANSWER_LOST, REFUSED, FRAME_TOO_LARGE, OFFLINE];

/**
 * `retryable`: whether trying again may help; `delayMs`: not sooner than that.
 * @typedef {Error & {code: string, retryable: boolean, delayMs: number}} ChatError
 */

/**
 * An Error with a code of those above or of the server.
 * @param {string} code
 * @param {string} [message] in English, safe to show; empty where the code says it all
 * @param {boolean} [retryable]
 * @param {number} [delayMs]
 * @returns {ChatError}
 */
export function chatError(code, message = '', retryable = true, delayMs = 0) {
  return Object.assign(new Error(message), { code, retryable, delayMs });
}

/**
 * `fault` as the ChatError it should be. Rethrows anything else: a fault in the code must not look
 * like a bad line.
 * @param {unknown} fault
 * @returns {ChatError}
 */
export function asChatError(fault) {
  const error = /** @type {ChatError | undefined} */ (fault);
  if (error?.retryable === undefined) throw fault;
  return error;
}
