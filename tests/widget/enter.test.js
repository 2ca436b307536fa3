import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createEnter } from '../../widget/src/views/enter.js';

const key = (rest) => ({ key: 'Enter', shiftKey: false, isComposing: false, keyCode: 13, timeStamp: 1000, ...rest });

test('Enter sends', () => {
  assert.equal(createEnter().sends(key()), true);
});

test('no other key sends, and no Enter with Shift', () => {
  const enter = createEnter();
  assert.equal(enter.sends(key({ key: 'a', keyCode: 65 })), false);
  assert.equal(enter.sends(key({ shiftKey: true })), false);
});

test('in Chromium and Firefox the Enter that picks a word is part of the composition', () => {
  assert.equal(createEnter().sends(key({ isComposing: true })), false);
});

test('in Safari it comes after the composition, with the code of an input method', () => {
  const enter = createEnter();
  enter.onCompositionEnd({ timeStamp: 1000 });
  assert.equal(enter.sends(key({ keyCode: 229 })), false);
});

test('in Safari it may come after the composition like any other, told late or dated back', () => {
  const enter = createEnter();
  enter.onCompositionEnd({ timeStamp: 1000 });
  assert.equal(enter.sends(key({ timeStamp: 1100 })), false);
  assert.equal(enter.sends(key({ timeStamp: 997 })), false);
});

test('the next press sends: once the key was released', () => {
  const enter = createEnter();
  enter.onCompositionEnd({ timeStamp: 1000 });
  enter.onKeyUp();
  assert.equal(enter.sends(key({ timeStamp: 1040 })), true);
});

test('the next press sends: after a word was picked with the pointer', () => {
  const enter = createEnter();
  enter.onCompositionEnd({ timeStamp: 1000 });
  assert.equal(enter.sends(key({ timeStamp: 1101 })), true);
});
