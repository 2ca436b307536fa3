import assert from 'node:assert/strict';
import { test } from 'node:test';

import { pickLocale } from '../../widget/src/strings.js';
import { en } from '../../widget/src/strings/en.js';
import { pickWords } from '../../widget/src/strings/launcher.js';
import zhCN from '../../widget/src/strings/zh-CN.js';

const strings = { en, 'zh-CN': zhCN };

const CANDIDATES = [
  [],
  [undefined, ''],
  ['en'],
  ['en-GB', 'zh'],
  ['zh'],
  ['zh-CN'],
  ['ZH-hans'],
  ['zh-TW', 'en'],
  ['fr', 'zh', 'en'],
  ['fr', 'de'],
  ['ensign', 'zhuang'],
];

test('the launcher speaks the language of the chat, and bears the name of its panel', () => {
  for (const candidates of CANDIDATES) {
    const [name, failure] = pickWords(candidates);
    assert.equal(name, strings[pickLocale(candidates)].title, candidates.join());
    assert.ok(failure);
  }
});
