import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { CLIENT_CODES } from '../../widget/src/errors.js';
import { errorText, pickLocale } from '../../widget/src/strings.js';

const SOURCES = new URL('../../widget/src/', import.meta.url);
const LOCALES = readdirSync(new URL('strings/', SOURCES))
  .map((name) => name.replace('.js', ''));
const PARTS = ['chat', 'more'];

/** Locale -> {chat, more}, each key -> text. */
const strings = {};
for (const locale of LOCALES) strings[locale] = await import(new URL(`strings/${locale}.js`, SOURCES));

const placeholders = (text) => (text.match(/\{\w+\}/g) ?? []).sort();

for (const locale of LOCALES) {
  for (const part of PARTS) {
    test(`${locale} has every key of ${part}, in the same order, and no other`, () => {
      assert.deepEqual(Object.keys(strings[locale][part]), Object.keys(strings.en[part]));
    });

    test(`${locale} has a text for each key of ${part}, with the placeholders of the English one`, () => {
      for (const [key, text] of Object.entries(strings[locale][part])) {
        assert.equal(text, text.trim(), key);
        assert.notEqual(text, '', key);
        assert.deepEqual(placeholders(text), placeholders(strings.en[part][key]), key);
      }
    });
  }
}

test('no key has two meanings', () => {
  const keys = PARTS.flatMap((part) => Object.keys(strings.en[part]).flatMap((key) => key.split(' ')));
  assert.equal(new Set(keys).size, keys.length);
});

for (const locale of LOCALES) {
  test(`${locale} is written the way it says`, () => {
    const { direction } = new Intl.Locale(locale).getTextInfo?.() ?? new Intl.Locale(locale).textInfo;
    assert.equal(strings[locale].chat.dir, direction);
  });
}

/** The letters that each text of a language has at least one of, where they are not those of English. */
const LETTERS = {
  'zh-CN': /\p{Script=Han}/u,
  'zh-TW': /\p{Script=Han}/u,
  ja: /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u,
  ko: /\p{Script=Hangul}/u,
  ru: /\p{Script=Cyrillic}/u,
  uk: /\p{Script=Cyrillic}/u,
  ar: /\p{Script=Arabic}/u,
  he: /\p{Script=Hebrew}/u,
  hi: /\p{Script=Devanagari}/u,
};

/** What some languages call as English does. */
const SAME = new Set(['Assistant', 'Code', 'Conversation', 'Menu', 'Source {n}', 'Sources']);

for (const locale of LOCALES.filter((name) => name !== 'en')) {
  test(`no text of ${locale} was left in English`, () => {
    for (const part of PARTS) {
      for (const [key, text] of Object.entries(strings[locale][part])) {
        if (key === 'dir') continue;
        if (LETTERS[locale]) assert.match(text, LETTERS[locale], key);
        else if (!SAME.has(text)) assert.notEqual(text, strings.en[part][key], key);
      }
    }
  });
}

/** Every source but the texts themselves. */
const sources = readdirSync(SOURCES, { recursive: true })
  .filter((name) => name.endsWith('.js') && !name.startsWith('strings/'))
  .map((name) => readFileSync(new URL(name, SOURCES), 'utf8'))
  .join('\n');

/** Whose message it is: these texts are found by the author's name. */
const AUTHORS = ['visitor', 'assistant', 'operator', 'system'];

const isCode = (name) => /^[A-Z_]+$/.test(name);

test('every text is shown somewhere, or has an author or the codes of failures as its key', () => {
  const keys = PARTS.flatMap((part) => Object.keys(strings.en[part]));
  const names = keys.filter((key) => !AUTHORS.includes(key) && !key.split(' ').every(isCode));
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
  [['zh-Hans-HK'], 'zh-CN'],
  [['zh-TW'], 'zh-TW'],
  [['zh_HK'], 'zh-TW'],
  [['zh-Hant'], 'zh-TW'],
  [['pt'], 'pt-BR'],
  [['pt-PT'], 'pt-BR'],
  [['iw', 'en'], 'he'],
  [['iw-IL', 'en'], 'he'],
  [['in_ID', 'en'], 'id'],
  [['de-CH-1996'], 'de'],
  [['sr-Latn', 'ru'], 'ru'],
  [['xx', 'zh-CN', 'en'], 'zh-CN'],
  [['xx-YY', 'eo'], 'en'],
  [[null, undefined, '', 'fr-CA'], 'fr'],
  [[7, 'fr'], 'fr'],
  [['(', '.*', '\\', ' ', 'fr'], 'fr'],
  [['br', 'cn', 'tw', 'fr'], 'fr'],
  [['null', 'undefined', 'constructor', 'fr'], 'fr'],
  [['english'], 'en'],
  [['french', 'zhuang', 'zh'], 'zh-CN'],
]) {
  test(`${JSON.stringify(candidates)} is spoken to in ${locale}`, () => {
    assert.equal(pickLocale(candidates, 'de en fr he id pt-BR ru zh-CN zh-TW'), locale);
  });
}

for (const locale of LOCALES) {
  for (const tag of [locale, locale.toUpperCase(), locale.replace('-', '_')]) {
    test(`of all languages ${tag} is spoken to in ${locale}`, () => {
      assert.equal(pickLocale(['xx', tag, 'en'], LOCALES.join(' ')), locale);
    });
  }
}

/** The codes as the server's own source lists them. */
const SERVER_CODES = [
  ...readFileSync(new URL('../../backend/chatbubble/errors.py', import.meta.url), 'utf8').matchAll(
    /code(?:: ClassVar\[str\])? = "([A-Z_]+)"/g,
  ),
].map(([, code]) => code);

/** Never sent to a visitor's browser, or never to a chat; the question waits; told in general words, or to the page. */
const UNTOLD = [
  'CONFIG_ERROR', 'CLIENT_NOT_FOUND', 'STREAM_ENDED', 'METHOD_NOT_ALLOWED', 'OPERATOR_REQUIRED', 'TURN_RUNNING',
  'STREAM_ERROR', 'FRAME_TOO_LARGE', 'IDENTITY_REFUSED', 'IDENTITY_OFF',
];
const CODES = [...SERVER_CODES, ...CLIENT_CODES];

test('the list of codes was really read', () => {
  assert.ok(SERVER_CODES.includes('STREAM_ERROR') && SERVER_CODES.length > 15, String(SERVER_CODES));
});

test('no text is kept for a code that neither the server nor the widget has', () => {
  const codes = Object.keys(strings.en.more).flatMap((key) => key.split(' ').filter(isCode));
  assert.deepEqual(codes.filter((code) => !CODES.includes(code)), []);
});

test('every code has words of ours', () => {
  const told = Object.keys(strings.en.more).flatMap((key) => key.split(' '));
  assert.deepEqual(CODES.filter((code) => !told.includes(code) && !UNTOLD.includes(code)), []);
});

const words = { failed: 'It failed.', OVERLOADED: 'It is busy.' };

for (const [error, text] of [
  [{ code: 'OVERLOADED', message: 'Busy!' }, 'It is busy.'],
  [{ code: 'OUT_OF_TEA', message: 'There is no tea.' }, 'There is no tea.'],
  [{ code: 'OUT_OF_TEA', message: '' }, 'It failed.'],
]) {
  test(`${JSON.stringify(error)} is told as ${text}`, () => {
    assert.equal(errorText(words, error), text);
  });
}
