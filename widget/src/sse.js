import { chatError, FRAME_TOO_LARGE } from './errors.js';

const LONGEST = 8 * 1024 * 1024;
const BOM = '\ufeff';
const LINE_END = /\r\n?|\n/;
/** A name, then a value after a colon and one space; a comment has no name. */
const FIELD = /^([^:]*):? ?(.*)/s;

/**
 * Reads an event stream to the letter of the HTML standard ("Server-sent events"): bytes in, cut
 * anywhere, events out. What no blank line has closed when the body ends is no event.
 *
 * A CR ends its line at once, and a LF directly after it, even in a later chunk, is swallowed:
 * waiting for the byte after the CR would delay the event.
 * @param {import('./types.js').DecoderOptions} options
 * @returns {import('./types.js').Decoder}
 */
export function createDecoder({ onEvent, onRetry, maxLength = LONGEST }) {
  // The decoder's own BOM handling is off: of two leading ones exactly one is dropped.
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  /** What is passed over when the next text begins with it. */
  let ignored = BOM;
  let line = '';
  let data = '';
  let type = '';
  let id = '';
  let lastEventId = '';

  /** @param {string} piece a further piece of the running line */
  function hold(piece) {
    line += piece;
    if (line.length + data.length > maxLength) {
      throw chatError(FRAME_TOO_LARGE, `over ${maxLength} characters`, false);
    }
  }

  function endLine() {
    if (!line) {
      dispatch();
      return;
    }
    const [, name, value] = /** @type {[string, string, string]} */ (/** @type {unknown} */ (FIELD.exec(line)));
    if (name === 'data') data += value + '\n';
    else if (name === 'event') type = value;
    else if (name === 'id' && !value.includes('\0')) id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) onRetry?.(Number(value));
    line = '';
  }

  function dispatch() {
    // The cursor moves at every blank line, even when there is no data and so no event.
    lastEventId = id;
    if (data) onEvent({ type: type || 'message', data: data.slice(0, -1), lastEventId });
    data = '';
    type = '';
  }

  return {
    push(bytes) {
      let text = utf8.decode(bytes, { stream: true });
      if (!text) return;
      if (text[0] === ignored) text = text.slice(1);
      ignored = text.endsWith('\r') ? '\n' : '';
      text.split(LINE_END).forEach((piece, at) => {
        if (at) endLine();
        hold(piece);
      });
    },
    get lastEventId() {
      return lastEventId;
    },
  };
}

/**
 * Writes one event, or a lone comment or `retry`, as the text of an event stream. Data is split
 * at CR, LF and CRLF, which the reader gets as LF.
 * @param {object} event
 * @param {string} [event.type]
 * @param {string} [event.data] without it the reader dispatches no event
 * @param {string} [event.id]
 * @param {number} [event.retry] milliseconds, a whole number
 * @param {string} [event.comment]
 * @returns {string}
 * @throws {TypeError} when `type` or `id` holds a line end or NUL, or `retry` is no whole number
 */
export function encodeEvent({ type, data, id, retry, comment }) {
  let text = '';
  if (comment !== undefined) text += lines(':', comment);
  if (retry !== undefined) text += `retry: ${wholeNumber(retry)}\n`;
  if (id !== undefined) text += `id: ${oneLine('id', id)}\n`;
  if (type !== undefined) text += `event: ${oneLine('type', type)}\n`;
  if (data !== undefined) text += lines('data:', data);
  const isBlock = (data ?? id ?? type) !== undefined;
  return isBlock ? text + '\n' : text;
}

/**
 * @param {string} prefix
 * @param {string} text
 */
function lines(prefix, text) {
  return text
    .split(LINE_END)
    .map((line) => `${prefix} ${line}\n`)
    .join('');
}

/**
 * @param {string} name
 * @param {string} value
 */
function oneLine(name, value) {
  if (!/[\r\n\0]/.test(value)) return value;
  throw new TypeError(`the ${name} of an event may not hold CR, LF or NUL: ${JSON.stringify(value)}`);
}

/** @param {number} value */
function wholeNumber(value) {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new TypeError(`retry must be a whole number of milliseconds, not ${value}`);
}
