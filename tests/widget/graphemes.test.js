import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createClusters } from '../../widget/src/graphemes.js';
import { CHARACTERS } from './characters.js';

const clusters = createClusters();

for (const [name, character] of Object.entries(CHARACTERS)) {
  test(`${name} is one, between letters, wherever one looks`, () => {
    const text = `ab${character}cd`;
    for (let at = 2; at < 2 + character.length; at += 1) {
      assert.deepEqual(clusters(text, at), [2, 2 + character.length], `at ${at}`);
    }
    assert.deepEqual(clusters(text, 1), [1, 2]);
    assert.deepEqual(clusters(text, 2 + character.length), [2 + character.length, 3 + character.length]);
  });
}

test('two flags are two', () => {
  assert.deepEqual(clusters('🇩🇪🇫🇷', 5), [4, 8]);
});

test('two Korean syllables are two', () => {
  assert.deepEqual(clusters('한국', 1), [1, 2]);
});

test('LF then CR are two', () => {
  assert.deepEqual(clusters('\n\r', 0), [0, 1]);
});

test('where the engine cannot tell, a text is not cut at all', () => {
  const blind = createClusters(null);
  assert.deepEqual(blind('ab👩‍👧c', 1), [0, 8]);
  assert.deepEqual(blind('', 0), [0, 0]);
});
