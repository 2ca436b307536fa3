/**
 * What a response of the server means for the one who waits for an answer.
 */

import { chatError, CONNECTION_LOST, REFUSED, SESSION_EXPIRED } from './errors.js';

const LONGEST_WAIT_MS = 60_000;

/**
 * What a response says besides a stream. `body` is what came as JSON, else null.
 * @typedef {{status: number, headers: Headers, body: any}} Reply
 */

/**
 * Whether the events of an answer follow. False: nothing more comes from that stream, and the
 * conversation tells how it ended.
 * @param {Reply} reply
 * @param {boolean} isResume whether a stream was asked for by its name
 * @returns {boolean}
 * @throws {import('./errors.js').ChatError} when it is neither
 */
export function hasStream(reply, isResume) {
  const { status, headers } = reply;
  // The essence of the media type counts, whatever its parameters.
  if (status === 200 && /^text\/event-stream\s*(;|$)/i.test(headers.get('Content-Type') ?? '')) return true;
  if (status === 204 || (isResume && (status === 404 || status === 410))) return false;
  throw refusal(reply);
}

/**
 * Why there is not what was asked for. Without our error shape it is not our server that speaks but
 * a proxy or a hotel's login page: that passes, unless somebody says 401 or 403.
 * @param {Reply} reply
 */
export function refusal({ status, headers, body }) {
  const isForbidden = status === 401 || status === 403;
  const cause = isForbidden ? REFUSED : CONNECTION_LOST;
  const { code = cause, message, retryable = !isForbidden } = body?.error ?? {};
  // In seconds, as our server says it and most proxies do; a date is taken for nothing. At most a minute.
  const delayMs = Number(headers.get('Retry-After')) * 1000 || 0;
  // What waits goes on once the page has told anew who its visitor is.
  const isRetryable = retryable || code === SESSION_EXPIRED;
  return chatError(code, message, isRetryable, Math.min(LONGEST_WAIT_MS, Math.max(0, delayMs)));
}
