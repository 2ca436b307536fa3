import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createDetour } from '../../widget/src/detour.js';
import { createDesk, eventually } from './desk.js';
import { atLine, createKnown, nextPoll, PAUSE_MS } from './held_line.js';
import { below, pieces, seeded } from './seeds.js';
import { cutAfter, holding, loginPage, reply, SESSION_ID, startStandIn } from './stand_in.js';

test('the next question is polled from the start', atLine(async (desk) => {
  const { client, server, answer } = desk;
  await Promise.all([client.ask('one'), client.ask('two')]);
  await answer(2, 'done');
  assert.deepEqual(server.requests, ['POST /chat?wait=0', 'POST /chat?wait=0']);
}, { isHeld: true, answer: (turn) => turn.done() }));

test('after a reload a running answer is polled from the start', atLine(async (desk) => {
  const { client, server, until } = desk;
  const left = createDesk(server.endpoint, { newId: () => 'left', memory: createKnown(true) });
  void left.client.ask('one');
  await left.until(({ turn }) => turn?.streamId);
  left.client.destroy();
  server.turn.say('Hello');
  const restored = client.restore();
  await until(({ messages }) => messages.at(-1)?.text === 'Hello');
  await restored;
  assert.deepEqual(server.requests.slice(1), ['GET /conversation', 'GET /chat/stream1?wait=0 e1.0']);
  server.turn.done();
  await nextPoll(desk);
  await until(({ turn, messages }) => !turn && messages.at(-1).state === 'done');
}, { isHeld: true }));

test('Stop works while the answer is polled', atLine(async (desk) => {
  const { client, server, answer, until } = desk;
  const settled = client.ask('one');
  await until(({ turn }) => turn?.streamId);
  server.turn.say('Hello');
  await answer(1, 'streaming', 'Hello');
  client.stop();
  await eventually(() => server.turn.end);
  await nextPoll(desk);
  await settled;
  await answer(1, 'aborted', 'Hello');
}, { isHeld: true }));

test('a poll that fails is a drop like any other', atLine(async (desk) => {
  const { client, server, answer, until, passPause } = desk;
  const settled = client.ask('one');
  await until(({ turn }) => turn?.streamId);
  for (const fault of [cutAfter(20), reply(503, { error: { code: 'OVERLOADED', retryable: true } }), loginPage]) {
    const told = server.turn.text;
    server.turn.say('word ');
    await answer(1, 'streaming', `${told}word `);
    server.faults.push(fault);
    await nextPoll(desk);
    server.turn.say('and ');
    await passPause();
    await answer(1, 'streaming', `${told}word and `);
  }
  server.turn.done();
  await nextPoll(desk);
  await settled;
  await answer(1, 'done', 'word and '.repeat(3));
}, { isHeld: true }));

test('a refusal is passed on as it is', atLine(async (desk) => {
  const { client, server, answer } = desk;
  server.faults.push(reply(413, { error: { code: 'PAYLOAD_TOO_LARGE', message: 'Too large.', retryable: false } }));
  void client.ask('one');
  const { error } = await answer(1, 'failed');
  assert.equal(error.code, 'PAYLOAD_TOO_LARGE');
}, { isHeld: true }));

test('between two polls a cut is felt at once', async () => {
  const cut = new AbortController();
  const detour = createDetour({
    endpoint: '/api/ai',
    sessionId: SESSION_ID,
    store: { get: () => ({ turn: null }) },
    schedule: () => () => {},
    fetch: async () => new Response('retry: 1000\n', { headers: { 'Content-Type': 'text/event-stream' } }),
    memory: createKnown(true),
  });
  const { body } = await detour('/api/ai/chat', { method: 'POST', signal: cut.signal });
  const reader = body.getReader();
  await reader.read();
  const next = reader.read();
  cut.abort();
  await assert.rejects(next, { name: 'AbortError' });
});

test('a destroyed client polls no more', atLine(async (desk) => {
  const { client, server, clock, answer } = desk;
  void client.ask('one');
  await eventually(() => server.turn);
  server.turn.say('Hello');
  await answer(1, 'streaming', 'Hello');
  await eventually(() => clock.waiting.includes(PAUSE_MS));
  client.destroy();
  const { length } = server.requests;
  clock.advance(PAUSE_MS);
  await new Promise(setImmediate);
  assert.equal(server.requests.length, length);
}, { isHeld: true }));

test('nor does it wait for what comes', atLine(async (desk) => {
  const { client, server } = desk;
  void client.ask('one');
  await eventually(() => server.turn?.readers.size === 1);
  client.destroy();
  await eventually(() => server.turn.readers.size === 0);
}, { isHeld: true }));

const TEXT = 'Grüße, 世界! 👩‍👩‍👧 All of it, whatever is cut.';

/** Has questions answered over a bad line while the clock runs fast: each arrives whole, and never looks otherwise. */
async function askMany(count, random, isHeld, setUp) {
  const server = await startStandIn({
    async answer(turn) {
      for (const piece of pieces(random, TEXT, 4)) {
        turn.say(piece);
        if (random() < 0.3) await new Promise(setImmediate);
      }
      if (!isHeld) await new Promise((resolve) => setTimeout(resolve, 40));
      turn.done();
    },
  });
  for (let round = 0; round < count; round += 1) {
    const desk = createDesk(server.endpoint, {
      isHurried: true, random, newId: () => `${round}`, memory: createKnown(isHeld),
    });
    setUp(server, round);
    const timer = setInterval(() => desk.clock.advance(PAUSE_MS), 1);
    await desk.client.ask('one');
    clearInterval(timer);
    const { text, state } = desk.bubble(`a-${round}`);
    assert.deepEqual([text, state], [TEXT, 'done'], `round ${round}`);
    for (const { messages } of desk.history) assert.ok(TEXT.startsWith(messages[1]?.text ?? ''), `round ${round}`);
    desk.client.destroy();
    server.faults.length = 0;
  }
  assert.equal(server.turns.length, count);
  await server.close();
}

test('two hundred polled answers, each with up to four cuts: none lost, doubled or stuck', async () => {
  const random = seeded(11);
  await askMany(200, random, true, (server) => {
    server.line = holding();
    server.faults.push(...Array.from({ length: below(random, 5) }, () => cutAfter(below(random, 1500))));
  });
});

test('wherever a line begins to hold back, nothing is lost and nothing is doubled', async () => {
  await askMany(60, seeded(12), false, (server, round) => {
    server.line = holding({ passes: round * 23 });
  });
});
