import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { CLIENT_CODES } from '../../widget/src/errors.js';
import { errorText, pickLocale } from '../../widget/src/strings.js';
import { en } from '../../widget/src/strings/en.js';
import zhCN from '../../widget/src/strings/zh-CN.js';

const strings = { en, 'zh-CN': zhCN };

const placeholders = (text) => (text.match(/\{\w+\}/g) ?? []).sort();

for (const locale of Object.keys(strings)) {
  test(`${locale} has every key, in the same order, and no other`, () => {
    assert.deepEqual(Object.keys(strings[locale]), Object.keys(strings.en));
  });

  test(`${locale} has a text for each key, with the placeholders of the English one`, () => {
    for (const [key, text] of Object.entries(strings[locale])) {
      assert.equal(text, text.trim(), key);
      assert.notEqual(text, '', key);
      assert.deepEqual(placeholders(text), placeholders(strings.en[key]), key);
    }
  });
}

test('no text of another language was left in English', () => {
  for (const [key, text] of Object.entries(strings['zh-CN'])) assert.match(text, /\p{Script=Han}/u, key);
});

const SOURCES = new URL('../../widget/src/', import.meta.url);

/** Every source but the texts themselves. */
const sources = readdirSync(SOURCES, { recursive: true })
  .filter((name) => name.endsWith('.js') && !name.startsWith('strings/'))
  .map((name) => readFileSync(new URL(name, SOURCES), 'utf8'))
  .join('\n');

/** Whose message it is: these texts are found by the author's name. */
const AUTHORS = ['visitor', 'assistant', 'operator', 'system'];

const isCode = (name) => /^[A-Z_]+$/.test(name);

test('every text is shown somewhere, or has an author or the codes of failures as its key', () => {
  const names = Object.keys(strings.en).filter((key) => !AUTHORS.includes(key) && !key.split(' ').every(isCode));
  const unused = names.filter((name) => !new RegExp(`\\b(words|strings)\\.${name}\\b`).test(sources));
  assert.deepEqual(unused, []);
});

for (const [candidates, locale] of [
  [[], 'en'],
  [['en-GB'], 'en'],
  [['EN'], 'en'],
  [['zh'], 'zh-CN'],
  [['zh-CN'], 'zh-CN'],
  [['zh_Hans_SG'], 'zh-CN'],
  [['zh-TW'], 'zh-CN'],
  [['fr', 'zh-CN', 'en'], 'zh-CN'],
  [['fr-FR', 'de'], 'en'],
  [[null, undefined, '', 'zh'], 'zh-CN'],
  [['english'], 'en'],
  [['zhuang', 'zh'], 'zh-CN'],
]) {
  test(`${JSON.stringify(candidates)} is spoken to in ${locale}`, () => {
    assert.equal(pickLocale(candidates), locale);
  });
}

/** The codes as the server's own source lists them. */
const SERVER_CODES = [
  ...readFileSync(new URL('../../backend/chatbubble/errors.py', import.meta.url), 'utf8').matchAll(
    /code(?:: ClassVar\[str\])? = "([A-Z_]+)"/g,
  ),
].map(([, code]) => code);

/** Never sent to a visitor's browser, or never to a chat. */
const UNSEEN = ['CONFIG_ERROR', 'CLIENT_NOT_FOUND', 'STREAM_ENDED', 'METHOD_NOT_ALLOWED', 'OPERATOR_REQUIRED'];

test('the list of codes was really read', () => {
  assert.ok(SERVER_CODES.includes('STREAM_ERROR') && SERVER_CODES.length > 15, String(SERVER_CODES));
});

test('no text is kept for a code that neither the server nor the widget has', () => {
  const codes = Object.keys(strings.en).flatMap((key) => key.split(' ').filter(isCode));
  const known = [...SERVER_CODES, ...Object.values(CLIENT_CODES)];
  assert.deepEqual(codes.filter((code) => !known.includes(code)), []);
});

for (const code of [...SERVER_CODES.filter((name) => !UNSEEN.includes(name)), ...Object.values(CLIENT_CODES)]) {
  test(`${code} has words of ours in every language`, () => {
    const marker = 'the words that came with it';
    for (const words of Object.values(strings)) {
      assert.ok(Object.values(words).includes(errorText(words, { code, message: marker })));
    }
  });
}

test('a code that we do not know is told in its own words', () => {
  assert.equal(errorText(strings.en, { code: 'OUT_OF_TEA', message: 'There is no tea.' }), 'There is no tea.');
});

test('a code that we do not know without words of its own is told in general ones', () => {
  assert.equal(errorText(strings.en, { code: 'OUT_OF_TEA', message: '' }), 'Something went wrong. Please try again.');
});
