import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createHygiene } from '../../widget/src/text-hygiene.js';

const clean = (text) => Array.from(text).filter(createHygiene()).join('');

test('text, tabs and line ends are shown', () => {
  const text = 'Text, 123\t中文\néà 😀 \u200e\u200f\u061c العربية עברית';
  assert.equal(clean(text), text);
});

test('overrides and isolates of the writing direction are not', () => {
  assert.equal(clean('a\u202a\u202b\u202c\u202d\u202eb\u2066\u2067\u2068\u2069c'), 'abc');
});

test('tags are not', () => {
  assert.equal(clean('a\u{e0000}\u{e0041}\u{e007f}b'), 'ab');
});

test('controls are not, so a line may end in CRLF', () => {
  assert.equal(clean('a\0\x01\x08\x0b\x0c\x1b\x7f\x85\x9fb\r\nc'), 'ab\nc');
});

test('halves of surrogate pairs are not', () => {
  assert.equal(clean('a\ud83db\ude00c'), 'abc');
});

test('a character carries eight marks and no more', () => {
  const eight = '\u0301'.repeat(8);
  assert.equal(clean(`a${eight}${eight}${eight}b${eight}c`), `a${eight}b${eight}c`);
});

test('joiners and hidden characters make no room for more marks', () => {
  const marks = '\u0301'.repeat(8);
  assert.equal(clean(`a${marks}\u200d${marks}\u200c${marks}\u202e${marks}`), `a${marks}\u200d\u200c`);
});

test('the marks of living languages and emoji are all shown', () => {
  const text = 'ที่นี่ क्ष्म्य གྲུབ་ สู้ 👩‍👩‍👧‍👦 ❤️ 1️⃣ Việt Nam x̧̱̃';
  assert.equal(clean(text), text);
});
