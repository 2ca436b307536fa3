import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createOutbox } from '../../widget/src/sync/outbox.js';

const ENDPOINT = 'https://shop.example/api/ai';
const DAY_MS = 86_400_000;
const question = { requestId: 'r1', text: 'Do you ship to Norway?', replaces: undefined, at: 5 };

/** An outbox at a time, over a storage whose items are its own properties. */
function open(storage = createStorage(), endpoint = ENDPOINT, now = 5) {
  return { storage, outbox: createOutbox(endpoint, () => now, () => storage) };
}

function createStorage() {
  return Object.create({
    getItem(key) {
      return this[key] ?? null;
    },
    setItem(key, value) {
      this[key] = value;
    },
    removeItem(key) {
      delete this[key];
    },
  });
}

test('a question is there for the next page, until it is removed', () => {
  const { storage, outbox } = open();
  outbox.put(question);
  outbox.put({ ...question, requestId: 'r2', replaces: 'r0' });
  assert.deepEqual(open(storage).outbox.read(), [question, { ...question, requestId: 'r2', replaces: 'r0' }]);
  outbox.remove('r1');
  outbox.remove('r2');
  assert.deepEqual([open(storage).outbox.read(), Object.keys(storage)], [[], []]);
});

test('another server is not told of it', () => {
  const { storage, outbox } = open();
  outbox.put(question);
  assert.deepEqual(open(storage, 'https://other.example/api/ai').outbox.read(), []);
});

test('a question of more than a day ago is not asked any more, and goes', () => {
  const { storage, outbox } = open();
  outbox.put(question);
  assert.equal(open(storage, ENDPOINT, 4 + DAY_MS).outbox.read().length, 1);
  assert.deepEqual(open(storage, ENDPOINT, 6 + DAY_MS).outbox.read(), []);
  assert.deepEqual(Object.keys(storage), []);
});

test('what is not ours to read goes', () => {
  for (const broken of ['', '{', '{}', '5', 'null', '[]', '[1]', '["x","text"]']) {
    const { storage, outbox } = open();
    storage.setItem(`chatbubble:unsent:${ENDPOINT}:r1`, broken);
    assert.deepEqual([outbox.read(), Object.keys(storage)], [[], []], broken);
  }
});

test('a storage that is blocked or full changes nothing for the page', () => {
  const refuse = () => {
    throw new DOMException('No.', 'SecurityError');
  };
  for (const area of [refuse, () => Object.create({ getItem: refuse, setItem: refuse, removeItem: refuse })]) {
    const outbox = createOutbox(ENDPOINT, () => 5, area);
    outbox.put(question);
    assert.deepEqual(outbox.read(), []);
    outbox.remove('r1');
  }
});
