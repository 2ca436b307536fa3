/** @typedef {import('./types.js').StringKey} StringKey */

/** @type {readonly (readonly [StringKey, string])[]} */
const ERROR_WORDS = [
  ['errorBusy', 'OVERLOADED UPSTREAM_BUSY SHUTTING_DOWN'],
  ['errorRate', 'RATE_LIMITED'],
  ['errorUnavailable', 'UPSTREAM_UNAVAILABLE UPSTREAM_REFUSED SERVER_UNPATCHED STORE_UNAVAILABLE'],
  ['errorTimeout', 'UPSTREAM_TIMEOUT'],
  ['errorInterrupted', 'INTERRUPTED ANSWER_LOST'],
  ['errorEmpty', 'EMPTY_ANSWER'],
  ['errorFiltered', 'CONTENT_FILTERED'],
  ['errorRefused', 'ORIGIN_REFUSED SESSION_MISSING REFUSED NOT_FOUND'],
  ['errorRequest', 'BAD_REQUEST PAYLOAD_TOO_LARGE UNSUPPORTED_MEDIA_TYPE REQUEST_MISMATCH'],
  ['errorConnection', 'CONNECTION_LOST'],
  ['queued', 'TURN_RUNNING'],
  ['errorUnknown', 'STREAM_ERROR FRAME_TOO_LARGE'],
];

/** @type {Map<string, StringKey>} */
const ERROR_KEYS = new Map(ERROR_WORDS.flatMap(([key, codes]) => codes.split(' ').map((code) => [code, key])));

/**
 * The locale to show: the first candidate that we have words for, else English.
 * @param {Iterable<string | null | undefined>} candidates language tags, best first: the option,
 *   the page's, the browser's
 * @returns {import('./types.js').Locale}
 */
export function pickLocale(candidates) {
  for (const tag of candidates) {
    const [language] = (tag ?? '').toLowerCase().split(/[-_]/);
    // Traditional Chinese has no words of its own yet; Simplified is nearer than English.
    if (language === 'zh') return 'zh-CN';
    if (language === 'en') return 'en';
  }
  return 'en';
}

/**
 * `text` with each `{name}` replaced by its value.
 * @param {string} text
 * @param {Readonly<Record<string, string | number>>} values
 * @returns {string}
 */
export function format(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
}

/**
 * What to tell the visitor about a failure: our words for a code we know, the server's own for
 * any other.
 * @param {import('./types.js').Strings} words
 * @param {Pick<import('./types.js').ErrorView, 'code' | 'message'>} error
 * @returns {string}
 */
export function errorText(words, error) {
  const key = ERROR_KEYS.get(error.code);
  return key ? words[key] : error.message || words.errorUnknown;
}
