import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createMarkdown } from '../../widget/src/markdown.js';
import { ANSWERS } from './fixtures/answers.js';
import { BLOCKS } from './fixtures/markdown_blocks.js';
import { INLINE } from './fixtures/markdown_inline.js';
import { createRecorder, readParts } from './fixtures/outline.js';
import { SHREDS } from './fixtures/shreds.js';
import { oneOf, pieces, seeded } from './seeds.js';

const CONSTRUCTS = Object.values({ ...INLINE, ...BLOCKS }).flat().map(([input]) => input);

/** Each code unit on its own: surrogate pairs are cut in two. */
const units = (text) => text.split('');

test('a text cut in two at any place is the same text', () => {
  for (const text of [...CONSTRUCTS, ...ANSWERS]) {
    const whole = readParts(text);
    for (let at = 1; at < text.length; at++) assert.equal(readParts(text.slice(0, at), text.slice(at)), whole);
  }
});

test('a construct cut in three at any two places is the same construct', () => {
  for (const text of CONSTRUCTS.filter(({ length }) => length < 60)) {
    const whole = readParts(text);
    for (let second = 2; second < text.length; second++) {
      for (let first = 1; first < second; first++) {
        const parts = [text.slice(0, first), text.slice(first, second), text.slice(second)];
        assert.equal(readParts(...parts), whole, JSON.stringify(parts));
      }
    }
  }
});

test('a text that comes unit by unit is the same text', () => {
  for (const text of [...CONSTRUCTS, ...ANSWERS]) assert.equal(readParts(...units(text)), readParts(text));
});

test('an answer cut at random is the same answer', () => {
  const random = seeded(1);
  for (const text of ANSWERS) {
    const whole = readParts(text);
    for (let round = 0; round < 40; round++) assert.equal(readParts(...pieces(random, text, 1 + (round % 20))), whole);
  }
});

describe('2,500 random texts', () => {
  const random = seeded(20_000);
  const texts = Array.from({ length: 2500 }, () =>
    Array.from({ length: 1 + Math.floor(random() * 30) }, () => oneOf(random, SHREDS)).join(''));

  test('are the same however they are cut', () => {
    for (const text of texts) {
      const whole = readParts(text);
      for (const parts of [units(text), pieces(random, text, 3), pieces(random, text, 12)]) {
        assert.equal(readParts(...parts), whole, JSON.stringify(parts));
      }
    }
  });

  test('only ever grow', () => {
    for (const text of texts) {
      const { root, renderer } = createRecorder();
      const markdown = createMarkdown(renderer);
      let before = structuredClone(root);
      for (const unit of units(text)) {
        markdown.push(unit);
        assertGrown(before, root, text);
        before = structuredClone(root);
      }
      markdown.end();
      assertGrown(before, root, text);
    }
  });

  test('keep every letter, but for addresses and what stands behind a fence', () => {
    for (const text of texts.filter((each) => !/```|~~~|\]\(|<|http/.test(each))) {
      const letters = (string) => string.replace(/\w+\(|\[\w*\]/g, '').match(/[中文éb]|word/gu);
      assert.deepEqual(letters(readParts(text)), letters(text), JSON.stringify(text));
    }
  });
});

/** A tree that grew: what stood there stands there, only the last part of each node may have gone on. */
function assertGrown(before, after, text) {
  if (typeof before === 'string') {
    assert.ok(after.startsWith(before), `${JSON.stringify([before, after])} of ${JSON.stringify(text)}`);
    return;
  }
  assert.equal(after.type + after.detail, before.type + before.detail);
  before.children.forEach((child, index) => {
    const isLast = index === before.children.length - 1;
    if (isLast) assertGrown(child, after.children[index], text);
    else assert.deepEqual(after.children[index], child);
  });
}
