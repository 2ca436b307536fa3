import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readOptions } from '../../widget/src/options.js';
import { warningOf } from '../../widget/src/warnings.js';

/** What the author of a page with these options is told. */
const warn = (given, spell) => warningOf(given, readOptions(given).wrong, spell);

const NOTHING = { options: {}, wrong: [] };

test('without attributes there is no option, and nothing wrong', () => {
  assert.deepEqual(readOptions({}), NOTHING);
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
  assert.deepEqual(readOptions(given), { options: given, wrong: [] });
});

test('blanks around a value do not matter, nor does a slash at the end of the endpoint', () => {
  const given = { endpoint: ' /api/ai// ', theme: '\nlight ' };
  assert.deepEqual(readOptions(given), { options: { endpoint: '/api/ai', theme: 'light' }, wrong: [] });
});

test('null and undefined count as not given', () => {
  assert.deepEqual(readOptions({ title: null, theme: undefined }), NOTHING);
});

test('an unknown option is left out, and named as it stands in the page', () => {
  assert.deepEqual(readOptions({ launcherIcon: 'x' }), { options: {}, wrong: ['launcherIcon'] });
  assert.equal(warn({ launcherIcon: 'x' }), 'Chatbubble: data-launcher-icon is unknown.');
});

test('names that every object has are unknown options, too', () => {
  assert.deepEqual(warn({ constructor: 'x', toString: 'y' }).split('\n'), [
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
  ['position', 'top-left', 'bottom-right or bottom-left'],
  ['theme', 'DARK', 'auto, light or dark'],
]) {
  test(`data-${name}="${value}" is left out and warned of`, () => {
    assert.deepEqual(readOptions({ [name]: value }), { options: {}, wrong: [name] });
    assert.equal(warn({ [name]: value }), `Chatbubble: data-${name} takes ${words}, not ${JSON.stringify(value)}.`);
  });
}

test('a long malformed value is cut in its warning', () => {
  assert.ok(warn({ theme: 'x'.repeat(500) }).length < 150);
});

test('mount spells names its own way and may give values that are no text', () => {
  assert.deepEqual(warn({ theme: 3, accentColor: '#fff' }, (name) => `options.${name}`).split('\n'), [
    'Chatbubble: options.theme takes auto, light or dark, not a value of type number.',
    'Chatbubble: options.accentColor is unknown.',
  ]);
});

test('a call that cannot be obeyed is told in the same way', () => {
  assert.equal(warningOf({ ask: undefined }, ['ask'], String), 'Chatbubble: ask takes a text, not nothing.');
  assert.equal(warningOf({ fly: 'x' }, ['fly'], String), 'Chatbubble: fly is unknown.');
});

test('every option has its words', () => {
  const given = Object.fromEntries(
    ['endpoint', 'locale', 'title', 'greeting', 'accent', 'position', 'theme'].map((name) => [name, 0]),
  );
  assert.equal(warn(given).match(/takes/g)?.length, 7);
});
