/**
 * What a response of the server means for the one who waits for an answer.
 */

import { chatError, CONNECTION_LOST, REFUSED } from './errors.js';

const LONGEST_WAIT_MS = 60_000;

/**
 * What a response says besides a stream. `body` is what came as JSON, else null.
 * @typedef {{status: number, headers: Headers, body: any}} Reply
 */

/**
 * Whether the events of an answer follow. False: nothing more comes from that stream, and the
 * conversation tells how it ended.
 * @param {Reply} reply
 * @param {number} now
 * @param {boolean} isResume whether a stream was asked for by its name
 * @returns {boolean}
 * @throws {import('./errors.js').ChatError} when it is neither
 */
export function hasStream(reply, now, isResume) {
  const { status, headers } = reply;
  // The essence of the media type counts, whatever its parameters.
  if (status === 200 && /^text\/event-stream\s*(;|$)/i.test(headers.get('Content-Type') ?? '')) return true;
  if (status === 204 || (isResume && (status === 404 || status === 410))) return false;
  throw refusal(reply, now);
}

/**
 * Why there is not what was asked for. Without our error shape it is not our server that speaks but
 * a proxy or a hotel's login page: that passes, unless somebody says 401 or 403.
 * @param {Reply} reply
 * @param {number} now
 */
export function refusal({ status, headers, body }, now) {
  const isForbidden = status === 401 || status === 403;
  const cause = isForbidden ? REFUSED : CONNECTION_LOST;
  const { code = cause, message, retryable = !isForbidden } = body?.error ?? {};
  const after = headers.get('Retry-After');
  // In seconds or until a date; at most a minute.
  const delayMs = Number(after) * 1000 || Date.parse(after ?? '') - now || 0;
  return chatError(code, message, retryable, Math.min(LONGEST_WAIT_MS, Math.max(0, delayMs)));
}
