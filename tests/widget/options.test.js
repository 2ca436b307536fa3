import assert from 'node:assert/strict';
import { test } from 'node:test';

import { mistakesIn } from '../../widget/src/options.js';

test('nothing is wrong with nothing', () => {
  assert.deepEqual(mistakesIn({}), []);
});

test('nothing is wrong with options as they should be', () => {
  const given = {
    endpoint: 'https://chat.example/api/ai',
    locale: 'zh-CN',
    title: 'Ask us',
    greeting: 'Hello there',
    accent: '#00aa77',
    position: 'top-left',
    theme: 'dark',
    strings: { send: 'Go', close: '' },
    label: 'Help',
    offsetX: '0',
    offsetY: 24,
    size: '64',
    width: 400,
    height: '700',
    icon: 'path("M12 2 2 22h20z")',
    avatar: "path('M0 0h24v24H0z')",
    container: '#chat',
    consent: 'required',
    page: 'off',
  };
  assert.deepEqual(mistakesIn(given), []);
});

test('blanks around a value do not matter', () => {
  assert.deepEqual(mistakesIn({ endpoint: ' /api/ai// ', theme: '\nlight ' }), []);
});

test('null and undefined count as not given', () => {
  assert.deepEqual(mistakesIn({ title: null, theme: undefined }), []);
});

test('an unknown option is named as it stands in the page', () => {
  assert.deepEqual(mistakesIn({ launcherIcon: 'x' }), ['Chatbubble: data-launcher-icon is unknown.']);
});

test('names that every object has are unknown options, too', () => {
  assert.deepEqual(mistakesIn({ constructor: 'x', toString: 'y' }), [
    'Chatbubble: data-constructor is unknown.',
    'Chatbubble: data-to-string is unknown.',
  ]);
});

for (const [name, value, words] of [
  ['endpoint', 'api/ai', 'an address like https://chat.example/api/ai or /api/ai'],
  ['endpoint', 'javascript:alert(1)', 'an address like https://chat.example/api/ai or /api/ai'],
  ['endpoint', '/api ai', 'an address like https://chat.example/api/ai or /api/ai'],
  ['endpoint', 'https://chat.example/?x=1', 'an address like https://chat.example/api/ai or /api/ai'],
  ['locale', 'English', 'a language tag like en or zh-CN'],
  ['title', '  ', 'a text'],
  ['greeting', '', 'a text'],
  ['accent', 'red', 'a colour like #0a7 or #00aa77'],
  ['accent', '#12345', 'a colour like #0a7 or #00aa77'],
  ['position', 'top', 'bottom-right, bottom-left, top-right or top-left'],
  ['size', '24px', 'a number of pixels like 24'],
  ['width', '-1', 'a number of pixels like 24'],
  ['icon', 'M12 2 2 22h20z', "a shape like path('M12 2 2 22h20z')"],
  ['avatar', 'url(https://img.example/a.png)', "a shape like path('M12 2 2 22h20z')"],
  ['consent', 'yes', 'required'],
  ['page', 'on', 'off'],
  ['theme', 'DARK', 'auto, light or dark'],
]) {
  test(`data-${name}="${value}" is warned of`, () => {
    assert.deepEqual(mistakesIn({ [name]: value }), [
      `Chatbubble: data-${name} takes ${words}, not ${JSON.stringify(value)}.`,
    ]);
  });
}

test('words are given as an object of texts', () => {
  for (const strings of ['Send', 7, { send: 7 }, ['Send', null]]) {
    assert.match(String(mistakesIn({ strings }, String)), /^Chatbubble: strings takes an object of texts, not /);
  }
});

test('a long malformed value is cut in its warning', () => {
  assert.ok(mistakesIn({ theme: 'x'.repeat(500) })[0].length < 150);
});

test('mount spells names its own way and may give values that are no text', () => {
  assert.deepEqual(mistakesIn({ theme: 3, accentColor: '#fff' }, (name) => `options.${name}`), [
    'Chatbubble: options.theme takes auto, light or dark, not a value of type number.',
    'Chatbubble: options.accentColor is unknown.',
  ]);
});

test('a call that cannot be obeyed is told in the same way', () => {
  const text = 'a text of at most 4,000 characters';
  assert.deepEqual(mistakesIn({ ask: undefined }, String), [`Chatbubble: ask takes ${text}.`]);
  assert.deepEqual(mistakesIn({ fly: 'x' }, String), ['Chatbubble: fly is unknown.']);
});
