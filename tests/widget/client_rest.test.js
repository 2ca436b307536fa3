import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SILENCE_MS } from '../../widget/src/transport.js';
import { atDesk, eventually } from './desk.js';

const RESTING = { desk: { restMs: 33 } };

/** An answer of which one word is shown, while the client rests. */
async function begin({ client, server, clock, answer, until }) {
  const settled = client.ask('Hello?');
  await until((state) => state.turn?.streamId);
  clock.advance(33);
  server.turn.say('one ');
  await answer(1, 'streaming', 'one ');
  return settled;
}

/** The server says it, and the client has it: then its patience begins anew. */
async function say({ server, clock }, word) {
  clock.advance(1);
  assert.ok(!clock.waiting.includes(SILENCE_MS));
  server.turn.say(word);
  await eventually(() => clock.waiting.includes(SILENCE_MS));
}

test('the first word is shown as it comes, and what comes within the rest in one change', atDesk(async (desk) => {
  const { clock, history, answer } = desk;
  void begin(desk);
  await answer(1, 'streaming', 'one ');
  const before = history.length;
  for (const word of ['two ', 'three ', 'four ']) await say(desk, word);
  assert.equal(history.length, before);
  clock.advance(33);
  await answer(1, 'streaming', 'one two three four ');
  assert.equal(history.length, before + 1);
}, RESTING));

test('what is no text waits for no rest, nor does the text before it', atDesk(async (desk) => {
  const { server, answer, history } = desk;
  void begin(desk);
  await answer(1, 'streaming', 'one ');
  await say(desk, 'two');
  server.turn.send('reset', { reason: 'other words' });
  await answer(1, 'sending', '');
  assert.deepEqual(history.at(-1).turn.cursor, 'e1.4');
}, RESTING));

test('what came before a cut is not asked for again', atDesk(async (desk) => {
  const { server, clock, answer, until } = desk;
  void begin(desk);
  await answer(1, 'streaming', 'one ');
  await say(desk, 'two ');
  server.cut();
  await answer(1, 'streaming', 'one two ');
  const { wait } = await until((state) => state.wait);
  clock.advance(wait.until - clock.now());
  await eventually(() => server.requests.length === 2);
  assert.deepEqual(server.requests, ['POST /chat', 'GET /chat/stream1 e1.3']);
}, RESTING));
