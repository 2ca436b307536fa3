import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { createDecoder, encodeEvent } from '../../widget/src/sse.js';
import { growth } from './cost.js';
import { below, oneOf, pieces, seeded } from './seeds.js';

const VECTORS = JSON.parse(readFileSync(new URL('../fixtures/sse_vectors.json', import.meta.url), 'utf8'));
const utf8 = new TextEncoder();

/** All that a decoder says about a body that came in `chunks`. */
function decode(chunks, options = {}) {
  const heard = { events: [], retries: [] };
  const decoder = createDecoder({
    onEvent: (event) => heard.events.push(event),
    onRetry: (ms) => heard.retries.push(ms),
    ...options,
  });
  for (const chunk of chunks) decoder.push(chunk);
  return { ...heard, lastEventId: decoder.lastEventId };
}

const decodeText = (...texts) => decode(texts.map((text) => utf8.encode(text)));

/** What a vector expects, in the decoder's own words. */
function expected({ expect, retry, last_event_id: lastEventId }) {
  const events = expect.map(({ event, data, id }) => ({ type: event, data, lastEventId: id }));
  return { events, retry, lastEventId };
}

function outcome(chunks) {
  const { events, retries, lastEventId } = decode(chunks);
  return { events, retry: retries.at(-1) ?? null, lastEventId };
}

test('the vectors are all there', () => {
  assert.equal(VECTORS.length, 149);
});

for (const vector of VECTORS) {
  const chunks = vector.chunks.map((chunk) => Buffer.from(chunk, 'base64'));
  const whole = Buffer.concat(chunks);

  test(`${vector.name}: as it came`, () => {
    assert.deepEqual(outcome(chunks), expected(vector));
  });

  test(`${vector.name}: byte by byte`, () => {
    assert.deepEqual(outcome(Array.from(whole, (byte) => Uint8Array.of(byte))), expected(vector));
  });

  test(`${vector.name}: cut in two at every byte`, () => {
    for (let at = 0; at <= whole.length; at += 1) {
      assert.deepEqual(outcome([whole.subarray(0, at), whole.subarray(at)]), expected(vector), `cut at ${at}`);
    }
  });
}

test('an event is there as soon as its blank line is, even when that is a lone CR', () => {
  const events = [];
  const decoder = createDecoder({ onEvent: (event) => events.push(event.data) });
  decoder.push(utf8.encode('data: one\r\r'));
  assert.deepEqual(events, ['one']);
  decoder.push(utf8.encode('\ndata: two\r\n\r'));
  assert.deepEqual(events, ['one', 'two']);
});

test('a retry is effective at the end of its line', () => {
  const { retries, events } = decodeText('retry: 1000\n');
  assert.deepEqual([retries, events], [[1000], []]);
});

test('comments are passed over, and retries where nobody listens', () => {
  const events = [];
  const decoder = createDecoder({ onEvent: (event) => events.push(event.data) });
  decoder.push(utf8.encode('retry: 5\n: hb\ndata: x\n\n'));
  assert.deepEqual(events, ['x']);
});

test('nothing that no blank line closed outlives the end of the body', () => {
  const events = [];
  const decoder = createDecoder({ onEvent: (event) => events.push(event) });
  decoder.push(utf8.encode('id: 1\nevent: x\ndata: lost\nda'));
  assert.deepEqual([events, decoder.lastEventId], [[], '']);
});

test('a line longer than the bound is a clear error, and one of exactly that length is not', () => {
  const line = `data:${'x'.repeat(95)}`;
  assert.equal(decode([utf8.encode(`${line}\n\n`)], { maxLength: 100 }).events.length, 1);
  assert.throws(() => decode([utf8.encode(`${line}y`)], { maxLength: 100 }), {
    code: 'FRAME_TOO_LARGE',
    retryable: false,
    message: /over 100 characters/,
  });
});

test('an event of many short lines is bounded just the same', () => {
  const lines = (count) => utf8.encode(`${'data:123456789\n'.repeat(count)}\n`);
  assert.equal(decode([lines(9)], { maxLength: 103 }).events.length, 1);
  assert.throws(() => decode([lines(10)], { maxLength: 103 }), { code: 'FRAME_TOO_LARGE' });
});

test('the bound holds for comments and for one endless line in small chunks', () => {
  const chunks = Array.from({ length: 30 }, () => utf8.encode(':::::'));
  assert.throws(() => decode(chunks, { maxLength: 100 }), { code: 'FRAME_TOO_LARGE' });
});

test('one event does not eat into the bound of the next', () => {
  const event = utf8.encode(`data:${'x'.repeat(80)}\n\n`);
  assert.equal(decode([event, event, event], { maxLength: 100 }).events.length, 3);
});

test('by default the bound is 8 Mi characters', () => {
  const chunk = utf8.encode('x'.repeat(1024 * 1024));
  const decoder = createDecoder({ onEvent() {} });
  for (let count = 0; count < 8; count += 1) decoder.push(chunk);
  assert.throws(() => decoder.push(utf8.encode('x')), { code: 'FRAME_TOO_LARGE' });
});

test('a single line in chunks of 100 bytes costs in proportion to its length, up to 10 MB', () => {
  const chunk = utf8.encode('x'.repeat(100));
  const readLine = (length) => {
    const events = [];
    const decoder = createDecoder({ onEvent: (event) => events.push(event), maxLength: Infinity });
    decoder.push(utf8.encode('data:'));
    for (let count = 0; count < length / 100; count += 1) decoder.push(chunk);
    decoder.push(utf8.encode('\n\n'));
    assert.equal(events[0].data.length, length);
  };
  const ratio = growth(readLine, 1_000_000, 10_000_000);
  assert.ok(ratio < 40, `linear is 10, quadratic 100, measured ${ratio.toFixed(1)}`);
});

test('many short lines in one chunk cost in proportion to their number', () => {
  const ratio = growth((count) => decode([utf8.encode(':\n'.repeat(count))]), 100_000, 1_000_000);
  assert.ok(ratio < 40, `linear is 10, quadratic 100, measured ${ratio.toFixed(1)}`);
});

test('an encoded event is what the wire shows', () => {
  const text = encodeEvent({ id: 'e1.7', type: 'token', data: '{"text":"hi"}' });
  assert.equal(text, 'id: e1.7\nevent: token\ndata: {"text":"hi"}\n\n');
});

test('data is split at CR, LF and CRLF, and at nothing else', () => {
  const text = encodeEvent({ data: 'a\rb\nc\r\nd\u2028e\u000bf' });
  assert.equal(text, 'data: a\ndata: b\ndata: c\ndata: d\u2028e\u000bf\n\n');
});

test('empty data is still an event', () => {
  assert.deepEqual(decodeText(encodeEvent({ data: '' })).events, [{ type: 'message', data: '', lastEventId: '' }]);
});

test('a lone comment is one line without a blank one after it: the heartbeat', () => {
  assert.equal(encodeEvent({ comment: 'hb' }), ': hb\n');
});

test('a comment with line ends stays a comment', () => {
  assert.equal(encodeEvent({ comment: 'a\r\nb\nc' }), ': a\n: b\n: c\n');
});

test('a lone retry needs no blank line', () => {
  assert.equal(encodeEvent({ retry: 1000 }), 'retry: 1000\n');
});

test('a lone id moves the cursor and dispatches nothing', () => {
  const { events, lastEventId } = decodeText(encodeEvent({ id: '9' }));
  assert.deepEqual([events, lastEventId], [[], '9']);
});

test('an empty id resets the cursor', () => {
  assert.equal(decodeText(encodeEvent({ id: '9', data: 'x' }), encodeEvent({ id: '', data: 'y' })).lastEventId, '');
});

test('a lone type ends with a blank line, so that it does not leak into the next event', () => {
  const [event] = decodeText(encodeEvent({ type: 'x' }), encodeEvent({ data: 'y' })).events;
  assert.equal(event.type, 'message');
});

for (const bad of ['a\nb', 'a\rb', 'a\0b', '\n']) {
  test(`${JSON.stringify(bad)} is refused as id and as type`, () => {
    assert.throws(() => encodeEvent({ id: bad, data: '' }), { name: 'TypeError', message: /the id of an event/ });
    assert.throws(() => encodeEvent({ type: bad, data: '' }), { name: 'TypeError', message: /the type of an event/ });
  });
}

for (const bad of [-1, 1.5, NaN, Infinity, '1000']) {
  test(`${bad} is refused as retry`, () => {
    assert.throws(() => encodeEvent({ retry: bad }), { name: 'TypeError', message: /whole number of milliseconds/ });
  });
}

const ALPHABET = [
  'a', 'data', ':', ' ', '\t', '\n', '\r', '\r\n', '\0', '\u000b', '\f', '\u001c', '\u0085', '\u2028', '\u2029',
  '\ufeff', '\ud83d', '\ude00', '😀', '👩‍👩‍👧', 'é', '中文', 'retry: 5', 'id', '\ufffd', '\u00a0',
];

function sentence(random) {
  return Array.from({ length: below(random, 12) }, () => oneOf(random, ALPHABET)).join('');
}

/** `text` as it comes out again: line ends are LF, half a surrogate pair cannot be put into UTF-8. */
const asData = (text) => text.toWellFormed().replace(/\r\n?/g, '\n');

test('encode then decode gives the same events, whatever the text and wherever it is cut', () => {
  const random = seeded(20_260_101);
  for (let round = 0; round < 2000; round += 1) {
    const sent = Array.from({ length: 1 + below(random, 4) }, (_, at) => ({
      type: sentence(random).replace(/[\r\n\0]/g, '') || 'message',
      data: sentence(random),
      id: `${round}.${at}`,
    }));
    const body = utf8.encode(sent.map(encodeEvent).join(''));
    const { events } = decode(pieces(random, body, 9));
    const due = sent.map(({ type, data, id }) => ({ type: type.toWellFormed(), data: asData(data), lastEventId: id }));
    assert.deepEqual(events, due, `round ${round}`);
  }
});

test('any text survives inside JSON, half surrogate pairs included', () => {
  const random = seeded(7);
  for (let round = 0; round < 1000; round += 1) {
    const text = sentence(random);
    const body = utf8.encode(encodeEvent({ data: JSON.stringify(text) }));
    const [event] = decode(pieces(random, body, 5)).events;
    assert.equal(JSON.parse(event.data), text);
  }
});
