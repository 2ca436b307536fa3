import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createBackoff } from '../../widget/src/backoff.js';

/** The longest waits: those of a generator that always gives almost 1. */
const spans = (backoff, count) => Array.from({ length: count }, () => backoff.next() + 1);
const high = () => 1 - Number.EPSILON;

test('the spans double from one second up to the cap', () => {
  assert.deepEqual(spans(createBackoff(high), 8), [1000, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
});

test('the jitter is full: a wait may be as short as nothing', () => {
  const backoff = createBackoff(() => 0);
  assert.deepEqual([backoff.next(), backoff.next(), backoff.next()], [0, 0, 0]);
});

test('a wait is a whole number of milliseconds within its span', () => {
  const backoff = createBackoff(() => 0.3333);
  assert.deepEqual([backoff.next(), backoff.next(), backoff.next()], [333, 333, 666]);
});

test('after a reset the first span comes again', () => {
  const backoff = createBackoff(high);
  spans(backoff, 5);
  backoff.reset();
  assert.deepEqual(spans(backoff, 3), [1000, 1000, 2000]);
});

test('the delay that the server asks for is the first span, and the least of the later ones', () => {
  const backoff = createBackoff(high);
  backoff.setRetry(3000);
  assert.deepEqual(spans(backoff, 5), [3000, 3000, 3000, 4000, 8000]);
});

test('the delay that the server asks for is clamped to 100 ms and one minute', () => {
  const backoff = createBackoff(high);
  backoff.setRetry(1);
  assert.equal(backoff.next() + 1, 100);
  backoff.reset();
  backoff.setRetry(2_147_483_648_000);
  assert.equal(backoff.next() + 1, 60_000);
  assert.equal(backoff.next() + 1, 60_000);
});

test('ten thousand clients cut at once come back spread over the first second', () => {
  let seed = 1;
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const arrivals = Array.from({ length: 10_000 }, () => createBackoff(random).next());
  const perTenth = Array.from({ length: 10 }, (_, at) => arrivals.filter((ms) => Math.floor(ms / 100) === at).length);
  assert.ok(Math.max(...perTenth) < 1200, `at most 1200 in 100 ms, got ${perTenth}`);
});
