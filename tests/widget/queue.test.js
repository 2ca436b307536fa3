import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createQueue } from '../../widget/src/queue.js';

/** Everything that was due has run. */
const settled = () => new Promise(setImmediate);

/** A queue whose items end when the test says so. */
function open(maxConcurrent) {
  const started = [];
  const run = (item) => new Promise((resolve, reject) => started.push({ item, resolve, reject }));
  const queue = maxConcurrent ? createQueue({ maxConcurrent, run }) : createQueue({ run });
  return { queue, started };
}

test('one item runs at a time, the others wait in order', async () => {
  const { queue, started } = open();
  const results = [queue.add('a'), queue.add('b'), queue.add('c')];
  assert.deepEqual([started.length, queue.pending], [1, 2]);
  for (const at of [0, 1, 2]) {
    started[at].resolve(`${started[at].item}!`);
    assert.equal(await results[at], ['a!', 'b!', 'c!'][at]);
    await settled();
  }
  assert.deepEqual(started.map(({ item }) => item), ['a', 'b', 'c']);
  assert.equal(queue.pending, 0);
});

test('an item added to an idle queue starts at once', () => {
  const { queue, started } = open();
  queue.add('a');
  assert.equal(started.length, 1);
});

test('as many run side by side as allowed', () => {
  const { queue, started } = open(2);
  for (const item of ['a', 'b', 'c']) queue.add(item);
  assert.deepEqual(started.map(({ item }) => item), ['a', 'b']);
  assert.equal(queue.pending, 1);
});

test('a failing item rejects its own promise and the next one starts', async () => {
  const { queue, started } = open();
  const first = queue.add('a');
  const second = queue.add('b');
  started[0].reject(new Error('no'));
  await assert.rejects(first, /^Error: no$/);
  await settled();
  started[1].resolve('fine');
  assert.equal(await second, 'fine');
});

test('a run that throws before it returns a promise counts as failed', async () => {
  const queue = createQueue({
    run(item) {
      if (item === 'bad') throw new Error('at once');
      return item;
    },
  });
  const bad = queue.add('bad');
  const good = queue.add('good');
  await assert.rejects(bad, /at once/);
  assert.equal(await good, 'good');
});

test('clear drops what waits and resolves its promises with undefined', async () => {
  const { queue, started } = open();
  const running = queue.add('a');
  const waiting = [queue.add('b'), queue.add('c')];
  queue.clear();
  assert.deepEqual(await Promise.all(waiting), [undefined, undefined]);
  assert.equal(queue.pending, 0);
  started[0].resolve('done');
  assert.equal(await running, 'done');
  assert.equal(started.length, 1);
});

test('a queue goes on after clear', async () => {
  const { queue, started } = open();
  queue.add('a');
  queue.clear();
  const later = queue.add('b');
  started[0].resolve();
  await settled();
  started[1].resolve('b!');
  assert.equal(await later, 'b!');
});
