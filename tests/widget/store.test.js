import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createStore } from '../../widget/src/store.js';

test('get gives what set put there', () => {
  const store = createStore(1);
  assert.equal(store.get(), 1);
  store.set(2);
  assert.equal(store.get(), 2);
});

test('listeners hear each new value', () => {
  const store = createStore('a');
  const heard = [];
  store.subscribe((value) => heard.push(value));
  store.set('b');
  store.set('c');
  assert.deepEqual(heard, ['b', 'c']);
});

test('the same value is no news', () => {
  const store = createStore(NaN);
  let count = 0;
  store.subscribe(() => (count += 1));
  store.set(NaN);
  assert.equal(count, 0);
});

test('subscribe returns its undo, harmless when repeated', () => {
  const store = createStore(0, assert.fail);
  const heard = [];
  const undo = store.subscribe((value) => heard.push(value));
  store.set(1);
  undo();
  undo();
  store.set(2);
  assert.deepEqual(heard, [1]);
});

test('the same function subscribed twice is two listeners with an undo each', () => {
  const store = createStore(0, assert.fail);
  let count = 0;
  const listener = () => (count += 1);
  const undo = store.subscribe(listener);
  store.subscribe(listener);
  store.set(1);
  undo();
  store.set(2);
  assert.equal(count, 3);
});

test('a listener that throws is reported and silences no other', () => {
  const reported = [];
  const store = createStore(0, (error) => reported.push(error.message));
  const heard = [];
  store.subscribe(() => {
    throw new Error('broken view');
  });
  store.subscribe((value) => heard.push(value));
  store.set(1);
  assert.deepEqual([heard, reported], [[1], ['broken view']]);
});

test('a listener that unsubscribes another in the same round silences it at once', () => {
  const store = createStore(0, assert.fail);
  const heard = [];
  store.subscribe(() => undo());
  const undo = store.subscribe((value) => heard.push(value));
  store.set(1);
  assert.deepEqual(heard, []);
});

test('a listener that subscribes another one does so for the next round', () => {
  const store = createStore(0, assert.fail);
  const heard = [];
  const undo = store.subscribe(() => {
    undo();
    store.subscribe((value) => heard.push(value));
  });
  store.set(1);
  store.set(2);
  assert.deepEqual(heard, [2]);
});

test('a listener that sets the value leaves every listener with the newest one', () => {
  const store = createStore(0, assert.fail);
  const heard = [];
  store.subscribe((value) => {
    if (value === 1) store.set(2);
  });
  store.subscribe((value) => heard.push(value));
  store.set(1);
  assert.equal(heard.at(-1), 2);
  assert.equal(store.get(), 2);
});
