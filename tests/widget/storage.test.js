import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  createId, createMark, forgetAll, forgetSession, keepChoice, keepSession, readChoice, readSession, signedParts,
  wasRunning,
} from '../../widget/src/storage.js';

const ENDPOINT = 'https://shop.example/api/ai';
const MINUTE_MS = 60_000;

/** The launcher has no bytes for a storage of another's: it reaches for the browser's. */
function wasRunningIn(area) {
  Object.defineProperty(globalThis, 'localStorage', { configurable: true, get: area });
  return Boolean(wasRunning(ENDPOINT));
}

/** What of a browser's storage is used. */
function stand() {
  const items = new Map();
  const storage = {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => void items.set(name, String(value)),
    removeItem: (name) => void items.delete(name),
  };
  return { items, area: () => storage };
}

/** A storage that refuses: blocked at the door, or full. */
const refusals = {
  blocked() {
    throw new DOMException('The operation is insecure.', 'SecurityError');
  },
  full: () => ({
    getItem: () => null,
    setItem() {
      throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
    },
    removeItem() {},
  }),
};

/** A mark by a clock that stands still unless told. */
function marking(area, at = 0) {
  const clock = { at };
  return { clock, mark: createMark(ENDPOINT, () => clock.at, area) };
}

test('a session id has the shape that the server asks for', () => {
  assert.match(keepSession(ENDPOINT, undefined, stand().area), /^[A-Za-z0-9_-]{16,128}$/);
});

test('a session id is found again', () => {
  const { area } = stand();
  const sessionId = keepSession(ENDPOINT, undefined, area);
  assert.equal(readSession(ENDPOINT, area), sessionId);
});

test('a signed session id is found until it is over', () => {
  const { area } = stand();
  const sessionId = `signed_1800000000000_${'0a'.repeat(24)}_${'x'.repeat(43)}`;
  assert.equal(keepSession(ENDPOINT, sessionId, area), sessionId);
  assert.equal(readSession(ENDPOINT, area, () => 1_799_999_999_999), sessionId);
  assert.equal(readSession(ENDPOINT, area, () => 1_800_000_000_000), null);
  assert.deepEqual(signedParts(sessionId), [1_800_000_000_000, '0a'.repeat(24)]);
});

test('of a session id of ones own there is nothing to tell', () => {
  for (const own of [null, createId(), `unsigned_1_${'0'.repeat(48)}_`]) assert.deepEqual(signedParts(own), []);
});

test('another server is told another session id', () => {
  const { area } = stand();
  keepSession(ENDPOINT, undefined, area);
  assert.equal(readSession('https://other.example/api/ai', area), null);
});

test('a stored id that the server would refuse is none', () => {
  for (const broken of ['', 'short', 'sixteen letters!', 'x'.repeat(129)]) {
    const { area } = stand();
    area().setItem(`chatbubble:session:${ENDPOINT}`, broken);
    assert.equal(readSession(ENDPOINT, area), null, broken);
  }
});

test('ids differ', () => {
  assert.equal(new Set(Array.from({ length: 1000 }, () => createId())).size, 1000);
});

test('each byte of an id counts, the small ones too', () => {
  const random = { getRandomValues: (bytes) => bytes.map((_, at) => at) };
  assert.equal(createId(random), '000102030405060708090a0b0c0d0e0f');
});

test('a running answer leaves a mark, and takes it away at its end', () => {
  const { area } = stand();
  const { mark } = marking(area);
  assert.equal(wasRunningIn(area), false);
  mark.update(true);
  assert.equal(wasRunningIn(area), true);
  mark.update(false);
  assert.equal(wasRunningIn(area), false);
});

test('the mark remembers whether the panel is open', () => {
  const { area } = stand();
  const { mark } = marking(area);
  mark.show(true);
  mark.update(true);
  assert.equal(marking(area).mark.wasOpen, true);
  mark.show(false);
  assert.equal(marking(area).mark.wasOpen, false);
});

test('an open panel without a running answer leaves no mark', () => {
  const { area, items } = stand();
  marking(area).mark.show(true);
  assert.equal(items.size, 0);
});

test('a mark of long ago opens nothing', () => {
  const { area } = stand();
  const { mark } = marking(area);
  mark.show(true);
  mark.update(true);
  assert.equal(marking(area, 10 * MINUTE_MS - 1).mark.wasOpen, true);
  assert.equal(marking(area, 10 * MINUTE_MS).mark.wasOpen, false);
});

test('a tab without an answer leaves the mark of another tab alone', () => {
  const { area } = stand();
  marking(area).mark.update(true);
  const idle = marking(area).mark;
  idle.show(true);
  idle.update(false);
  assert.equal(wasRunningIn(area), true);
});

test('a mark without an answer goes once the server was asked', () => {
  const { area } = stand();
  marking(area).mark.update(true);
  marking(area).mark.settle();
  assert.equal(wasRunningIn(area), false);
});

test('a mark with an answer stays when the server was asked', () => {
  const { area } = stand();
  const { mark } = marking(area);
  mark.update(true);
  mark.settle();
  assert.equal(wasRunningIn(area), true);
});

test('a storage that refuses costs the memory, nothing else', () => {
  for (const area of Object.values(refusals)) {
    const { mark } = marking(area);
    mark.show(true);
    mark.update(true);
    mark.settle();
    mark.update(false);
    assert.equal(mark.wasOpen, false);
    assert.equal(wasRunningIn(area), false);
    assert.equal(readSession(ENDPOINT, area), null);
    assert.match(keepSession(ENDPOINT, undefined, area), /^[0-9a-f]{32}$/);
  }
});

test('a forgotten session is followed by another one', () => {
  const { area, items } = stand();
  const sessionId = keepSession(ENDPOINT, undefined, area);
  forgetSession(ENDPOINT, area);
  assert.equal(items.size, 0);
  assert.notEqual(keepSession(ENDPOINT, undefined, area), sessionId);
});

test('what the visitor chose is found again, and is null before', () => {
  const { area } = stand();
  assert.equal(readChoice(ENDPOINT, 'sound', area), null);
  keepChoice(ENDPOINT, 'sound', 'on', area);
  assert.equal(readChoice(ENDPOINT, 'sound', area), 'on');
});

test('where the storage refuses a choice is for this page alone', () => {
  for (const area of Object.values(refusals)) {
    keepChoice(ENDPOINT, 'sound', 'on', area);
    assert.equal(readChoice(ENDPOINT, 'sound', area), null);
  }
});

test('all of ours is forgotten, and nothing of the page or of another server', () => {
  const others = ['cart', 'chatbubble:session:https://other.example/api/ai', `chatbubble:session:${ENDPOINT}2`];
  const ours = [`chatbubble:session:${ENDPOINT}`, `chatbubble:running:${ENDPOINT}/`, `chatbubble:sound:${ENDPOINT}`];
  const storage = Object.fromEntries([...others, ...ours].map((key) => [key, 'x']));
  Object.defineProperty(storage, 'removeItem', { value: (key) => delete storage[key] });
  forgetAll([ENDPOINT, `${ENDPOINT}/`], [() => storage, refusals.blocked]);
  assert.deepEqual(Object.keys(storage), others);
});
