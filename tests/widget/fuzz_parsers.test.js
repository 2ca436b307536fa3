/**
 * What reads strangers' text in the page, on texts that nobody meant, cut anywhere. `make fuzz` asks for a million
 * splits of each by FUZZ_SPLITS.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readLink } from '../../widget/src/links.js';
import { createDecoder } from '../../widget/src/sse.js';
import { createHygiene } from '../../widget/src/text-hygiene.js';
import { readParts } from './fixtures/outline.js';
import { SHREDS } from './fixtures/shreds.js';
import { below, oneOf, pieces, seeded } from './seeds.js';

const SPLITS = Number(process.env.FUZZ_SPLITS ?? 4000);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
/** A text is cut so often before the next one comes. */
const CUTS = 4;

const STREAM_SHREDS = [
  'data', 'data:', 'data: ', 'id:', 'id: 9f2c.1', 'event:', 'event: token', 'retry:', 'retry: 5', ': hb', ':', ' ',
  '\n', '\n', '\n\n', '\r', '\r\n', '\r\r', '\0', '{"text":"a","index":0}', '\ufeff', '\u2028', '😀', 'é', 'x', '\xff',
];
const ADDRESS_SHREDS = [
  'http', 'https', '://', ':', '//', '/', '\\', '@', '.', 'a.b', 'shop.example', 'javascript:', 'data:',
  'blob:', 'file:', 'mailto:', 'tel:', '+49', ' ', '\t', '\n', '\0', '\u200b', '\u202e', '%00', '%2f', '#', '?',
  '[::1]', '127.0.0.1', ':80', 'user', 'JaVaScRiPt', '\u3002', 'xn--', '&colon;', 'alert(1)', '😀', '\ud83d',
];

/** Up to `most` shreds in a row. */
function made(random, shreds, most) {
  return Array.from({ length: 1 + below(random, most) }, () => oneOf(random, shreds)).join('');
}

/** Has `check` look at so many splits; `make` gives a whole, of which `check` is told each cutting. */
function fuzz(make, check) {
  const random = seeded(SEED);
  for (let split = 0; split < SPLITS; split += CUTS) {
    const whole = make(random);
    const cuttings = Array.from({ length: CUTS }, () => pieces(random, whole, 1 + below(random, 12)));
    check(whole, cuttings);
  }
}

function decode(chunks) {
  const heard = [];
  const decoder = createDecoder({
    onEvent: (event) => heard.push(event),
    onRetry: (ms) => heard.push(ms),
    maxLength: 4096,
  });
  for (const chunk of chunks) decoder.push(chunk);
  return { heard, lastEventId: decoder.lastEventId };
}

test('a stream is the same events wherever it is cut', () => {
  const utf8 = new TextEncoder();
  const make = (random) => {
    const bytes = utf8.encode(made(random, STREAM_SHREDS, 30));
    if (random() < 0.3) bytes[below(random, bytes.length)] = below(random, 256);
    return bytes;
  };
  fuzz(make, (bytes, cuttings) => {
    const whole = decode([bytes]);
    for (const cutting of cuttings) assert.deepEqual(decode(cutting), whole, JSON.stringify(Array.from(bytes)));
  });
});

test('an answer is the same nodes wherever it is cut', () => {
  fuzz((random) => made(random, SHREDS, 30), (text, cuttings) => {
    const whole = readParts(text);
    for (const cutting of cuttings) assert.equal(readParts(...cutting), whole, JSON.stringify(cutting));
  });
});

test('what is shown of a text does not depend on how it comes', () => {
  const shown = (parts) => {
    const isShown = createHygiene();
    return parts.flatMap((part) => Array.from(part).filter(isShown)).join('');
  };
  fuzz((random) => made(random, SHREDS, 20).toWellFormed(), (text) => {
    const whole = shown([text]);
    assert.ok(whole.isWellFormed());
    assert.doesNotMatch(whole, /[\u202a-\u202e\u2066-\u2069\0]/);
    assert.equal(shown(Array.from(text)), whole);
  });
});

test('no address leads anywhere but to a web page, a mailbox or a telephone', () => {
  fuzz((random) => made(random, ADDRESS_SHREDS, 8), (address) => {
    const link = readLink(address);
    if (link === null) return;
    const url = new URL(link.href);
    assert.match(url.protocol, /^(https?|mailto|tel):$/, JSON.stringify(address));
    assert.equal(url.username + url.password, '', JSON.stringify(address));
  });
});
