import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createEnter } from '../../widget/src/views/enter.js';

const key = (rest) => ({ key: 'Enter', shiftKey: false, isComposing: false, keyCode: 13, timeStamp: 1000, ...rest });

test('Enter sends', () => {
  assert.equal(createEnter().read(key()), 'send');
});

test('other keys, and Enter with Shift, are left to the text field', () => {
  const enter = createEnter();
  assert.equal(enter.read(key({ key: 'a', keyCode: 65 })), 'leave');
  assert.equal(enter.read(key({ shiftKey: true })), 'leave');
});

test('in Chromium and Firefox the Enter that picks a word is part of the composition', () => {
  assert.equal(createEnter().read(key({ isComposing: true })), 'leave');
});

test('in Safari it comes after the composition, with the code of an input method', () => {
  const enter = createEnter();
  enter.onCompositionEnd({ timeStamp: 1000 });
  assert.equal(enter.read(key({ keyCode: 229 })), 'leave');
});

test('in Safari it may come after the composition like any other, told late or dated back', () => {
  const enter = createEnter();
  enter.onCompositionEnd({ timeStamp: 1000 });
  assert.equal(enter.read(key({ timeStamp: 1100 })), 'swallow');
  assert.equal(enter.read(key({ timeStamp: 997 })), 'swallow');
});

test('the next press sends: once the key was released', () => {
  const enter = createEnter();
  enter.onCompositionEnd({ timeStamp: 1000 });
  enter.onKeyUp();
  assert.equal(enter.read(key({ timeStamp: 1040 })), 'send');
});

test('the next press sends: after a word was picked with the pointer', () => {
  const enter = createEnter();
  enter.onCompositionEnd({ timeStamp: 1000 });
  assert.equal(enter.read(key({ timeStamp: 1101 })), 'send');
});
