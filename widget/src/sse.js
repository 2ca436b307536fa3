import { chatError, CLIENT_CODES } from './errors.js';

const LONGEST = 8 * 1024 * 1024;
const BOM = '\ufeff';

/**
 * Reads an event stream to the letter of the HTML standard ("Server-sent events"): bytes in, cut
 * anywhere, events out.
 *
 * A CR ends its line at once, and a LF directly after it, even in a later chunk, is swallowed:
 * waiting for the byte after the CR would delay the event. Time is linear in the length of the
 * stream: a line is joined from its pieces once, when it ends.
 * @param {import('./types.js').DecoderOptions} options
 * @returns {import('./types.js').Decoder}
 */
export function createDecoder({ onEvent, onRetry, onComment, maxLength = LONGEST }) {
  // The decoder's own BOM handling is off: of two leading ones exactly one is dropped.
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  let isFirst = true;
  let isAfterCr = false;
  /** What came of the line that has not ended yet. @type {string[]} */
  let pieces = [];
  let room = maxLength;
  let data = '';
  let type = '';
  let id = '';
  let lastEventId = '';

  /** @param {string} piece a further piece of the running line */
  function hold(piece) {
    room -= piece.length;
    if (room < 0) {
      const message = `a line or event of the stream is over ${maxLength} characters`;
      throw chatError(CLIENT_CODES.FRAME_TOO_LARGE, message, false);
    }
    if (piece) pieces.push(piece);
  }

  function endLine() {
    const line = pieces.join('');
    pieces = [];
    if (line) readLine(line);
    else dispatch();
    room = maxLength - data.length;
  }

  /** @param {string} line */
  function readLine(line) {
    const colon = line.indexOf(':');
    if (!colon) {
      onComment?.(line.slice(1));
      return;
    }
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (name === 'data') data += value + '\n';
    else if (name === 'event') type = value;
    else if (name === 'id' && !value.includes('\0')) id = value;
    else if (name === 'retry' && /^[0-9]+$/.test(value)) onRetry?.(Number(value));
  }

  function dispatch() {
    // The cursor moves at every blank line, even when there is no data and so no event.
    lastEventId = id;
    const event = { type: type || 'message', data: data.slice(0, -1), lastEventId };
    const hasData = data !== '';
    data = '';
    type = '';
    if (hasData) onEvent(event);
  }

  return {
    push(bytes) {
      let text = utf8.decode(bytes, { stream: true });
      if (!text) return;
      if (isFirst && text.startsWith(BOM)) text = text.slice(1);
      isFirst = false;
      let from = isAfterCr && text.startsWith('\n') ? 1 : 0;
      isAfterCr = text.endsWith('\r');
      // One pass for both line ends: looking for each alone is quadratic where the other is missing.
      const lineEnd = /\r\n?|\n/g;
      lineEnd.lastIndex = from;
      for (let match = lineEnd.exec(text); match; match = lineEnd.exec(text)) {
        hold(text.slice(from, match.index));
        endLine();
        from = lineEnd.lastIndex;
      }
      hold(text.slice(from));
    },
    end() {
      pieces = [];
      data = '';
      type = '';
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
    .split(/\r\n?|\n/)
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
