import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readOptions } from '../../widget/src/options.js';

const DEFAULTS = {
  endpoint: null,
  locale: null,
  title: null,
  greeting: null,
  accent: null,
  position: 'bottom-right',
  theme: 'auto',
};

test('without attributes every option has its default and nothing is warned of', () => {
  assert.deepEqual(readOptions({}), { options: DEFAULTS, warnings: [] });
});

test('every option is read', () => {
  const given = {
    endpoint: 'https://chat.example/api/ai',
    locale: 'zh-CN',
    title: 'Ask us',
    greeting: 'Hello there',
    accent: '#00aa77',
    position: 'bottom-left',
    theme: 'dark',
  };
  assert.deepEqual(readOptions(given), { options: given, warnings: [] });
});

test('blanks around a value do not matter, nor does a slash at the end of the endpoint', () => {
  const { options, warnings } = readOptions({ endpoint: ' /api/ai// ', theme: '\nlight ' });
  assert.deepEqual([options.endpoint, options.theme, warnings], ['/api/ai', 'light', []]);
});

test('null and undefined count as not given', () => {
  assert.deepEqual(readOptions({ title: null, theme: undefined }), { options: DEFAULTS, warnings: [] });
});

test('an unknown option is named as it stands in the page', () => {
  const { options, warnings } = readOptions({ launcherIcon: 'x' });
  assert.deepEqual(warnings, ['data-launcher-icon is not an option of Chatbubble.']);
  assert.deepEqual(options, DEFAULTS);
});

test('names that every object has are unknown options, too', () => {
  const { warnings } = readOptions({ constructor: 'x', toString: 'y' });
  assert.deepEqual(warnings, [
    'data-constructor is not an option of Chatbubble.',
    'data-to-string is not an option of Chatbubble.',
  ]);
});

for (const [name, value, words] of [
  ['endpoint', 'api/ai', 'like https://chat.example/api/ai or /api/ai'],
  ['endpoint', 'javascript:alert(1)', 'like https://chat.example/api/ai or /api/ai'],
  ['endpoint', '/api ai', 'like https://chat.example/api/ai or /api/ai'],
  ['endpoint', 'https://chat.example/?x=1', 'like https://chat.example/api/ai or /api/ai'],
  ['locale', 'English', 'like en or zh-CN'],
  ['title', '  ', 'a text'],
  ['greeting', '', 'a text'],
  ['accent', 'red', 'like #0a7 or #00aa77'],
  ['accent', '#12345', 'like #0a7 or #00aa77'],
  ['position', 'top-left', 'bottom-right or bottom-left'],
  ['theme', 'DARK', 'auto, light or dark'],
]) {
  test(`data-${name}="${value}" is warned of and left at its default`, () => {
    const { options, warnings } = readOptions({ [name]: value });
    assert.deepEqual(warnings, [`data-${name} should be ${words}, not ${JSON.stringify(value)}.`]);
    assert.deepEqual(options, DEFAULTS);
  });
}

test('a long malformed value is cut in its warning', () => {
  const [warning] = readOptions({ theme: 'x'.repeat(500) }).warnings;
  assert.ok(warning.length < 150, warning);
});

test('mount spells names its own way and may give values that are no text', () => {
  const { options, warnings } = readOptions({ theme: 3, accentColor: '#fff' }, (name) => `options.${name}`);
  assert.deepEqual(warnings, [
    'options.theme should be auto, light or dark, not a number.',
    'options.accentColor is not an option of Chatbubble.',
  ]);
  assert.deepEqual(options, DEFAULTS);
});

test('options read twice are two objects', () => {
  assert.notEqual(readOptions({}).options, readOptions({}).options);
});
