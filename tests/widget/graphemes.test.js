import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createClusters } from '../../widget/src/graphemes.js';
import { CHARACTERS } from './characters.js';

const ENGINES = { 'Intl.Segmenter': Intl.Segmenter, 'no Intl.Segmenter': null };

for (const [engine, Segmenter] of Object.entries(ENGINES)) {
  const clusters = createClusters(Segmenter);

  for (const [name, character] of Object.entries(CHARACTERS)) {
    test(`${engine}: ${name} is one, between letters, wherever one looks`, () => {
      const text = `ab${character}cd`;
      for (let at = 2; at < 2 + character.length; at += 1) {
        assert.deepEqual(clusters(text, at), [2, 2 + character.length], `at ${at}`);
      }
      assert.deepEqual(clusters(text, 1), [1, 2]);
      assert.deepEqual(clusters(text, 2 + character.length), [2 + character.length, 3 + character.length]);
    });
  }

  test(`${engine}: two flags are two`, () => {
    assert.deepEqual(clusters('🇩🇪🇫🇷', 5), [4, 8]);
  });

  test(`${engine}: two Korean syllables are two`, () => {
    assert.deepEqual(clusters('한국', 1), [1, 2]);
  });

  test(`${engine}: LF then CR are two`, () => {
    assert.deepEqual(clusters('\n\r', 0), [0, 1]);
  });
}

test('without a choice it takes what the engine has', () => {
  assert.deepEqual(createClusters()('e\u0301', 0), [0, 2]);
});
