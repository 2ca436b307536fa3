import assert from 'node:assert/strict';
import { test } from 'node:test';

import { conversationAsJson, conversationAsText, fileName } from '../../widget/src/extras/copies.js';
import { newMessage } from '../../widget/src/messages.js';

const now = new Date(Date.UTC(2026, 0, 31, 12));
const words = { visitor: 'You', assistant: 'Assistant' };
const about = { title: 'Chat with us', url: 'https://shop.example/tea', locale: 'en', now, words };
const sources = [{ n: 1, title: 'Delivery', url: 'https://shop.example/delivery', snippet: 'By noon.' }];
const messages = [
  newMessage('visitor', '1', 0, { text: 'Do you ship to Norway?', state: 'done' }),
  newMessage('assistant', '1', 60_000, { text: 'Yes [1].', state: 'done', more: { sources: { sources } } }),
];
const conversation = { messages, conversationId: 'c' };

test('the text names who said what, and where it comes from', () => {
  const text = conversationAsText(conversation, about);
  assert.match(text, /^Chat with us\nhttps:\/\/shop\.example\/tea\n/);
  assert.match(text, /\n\nYou \(.+\):\nDo you ship to Norway\?\n\n/);
  assert.match(text, /Assistant \(.+\):\nYes \[1\]\.\n\[1\] Delivery https:\/\/shop\.example\/delivery\n$/);
});

test('the JSON has the names of the wire', () => {
  const told = JSON.parse(conversationAsJson(conversation, about));
  assert.deepEqual(Object.keys(told), ['title', 'url', 'savedAt', 'conversationId', 'messages']);
  assert.equal(told.savedAt, now.getTime());
  assert.deepEqual(told.messages[1], {
    messageId: null, author: 'assistant', content: 'Yes [1].', finishReason: null, createdAt: 60_000, sources,
  });
  assert.equal('sources' in told.messages[0], false);
});

test('sources of any other shape are none', () => {
  const odd = { messages: [{ ...messages[1], more: { sources: { sources: 'x' } } }], conversationId: null };
  assert.doesNotMatch(conversationAsText(odd, about), /\[1\] Delivery/);
  assert.equal('sources' in JSON.parse(conversationAsJson(odd, about)).messages[0], false);
});

for (const [title, name] of [
  ['Chat with us', 'Chat-with-us-2026-01-31.txt'],
  ['在线客服', '在线客服-2026-01-31.txt'],
  ['../..\\a:b|c', 'a-b-c-2026-01-31.txt'],
  ['…', 'chat-2026-01-31.txt'],
]) {
  test(`the file of ${JSON.stringify(title)} is called ${name}`, () => assert.equal(fileName(title, now, 'txt'), name));
}
