import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createMemory } from '../../widget/src/detour.js';
import { beginAnswer, eventually } from './desk.js';
import { acquit, atLine, GRACE_MS, look, nextPoll, notice, pass, PATIENCE_MS } from './held_line.js';
import { holding, loginPage, reply, silent, unreachable } from './stand_in.js';

test('a line that holds everything back is noticed, and the answer is polled', atLine(async (desk) => {
  const { client, server, answer, until, store, clock } = desk;
  const askedAt = clock.now();
  const settled = client.ask('one');
  await eventually(() => server.turn);
  server.turn.say('Hello');
  assert.equal(store.get().connection, 'connecting');
  await notice(desk);
  await answer(1, 'streaming', 'Hello');
  assert.equal(store.get().connection, 'streaming');
  // Within five seconds, as promised: the pause between two attempts, half a second here, may be a whole one.
  assert.ok(clock.now() - askedAt <= 4500);
  await eventually(() => server.requests.length === 4);
  server.turn.say(' you');
  await answer(1, 'streaming', 'Hello you');
  await nextPoll(desk);
  server.turn.done();
  await settled;
  await answer(1, 'done', 'Hello you');
  await until(({ connection }) => connection === 'idle');
  assert.deepEqual(server.requests, [
    'POST /chat',
    'GET /conversation',
    'POST /chat?wait=0',
    'GET /chat/stream1?wait=10 e1.2',
    'GET /chat/stream1?wait=10 e1.3',
  ]);
  assert.equal(server.turns.length, 1);
}));

test('nor does a head without a body pass for an answer', atLine(async (desk) => {
  const { server, client, answer, connection } = desk;
  const settled = client.ask('one');
  await connection('streaming');
  server.turn.say('Hello');
  await notice(desk);
  await answer(1, 'streaming', 'Hello');
  server.turn.done();
  await nextPoll(desk);
  await settled;
  await answer(1, 'done', 'Hello');
}, { line: holding({ passesHead: true }) }));

/** Lets everything pass at first. */
const gate = { isOpen: true };

const atGate = (play) =>
  atLine((desk) => {
    gate.isOpen = true;
    return play(desk);
  }, { line: holding({ gate }) });

test('what is held back in mid-answer comes after what was read', atGate(async (desk) => {
  const { server, answer } = desk;
  const { settled } = await beginAnswer(desk);
  gate.isOpen = false;
  server.turn.say(' you');
  await look(desk);
  assert.equal(server.requests.at(-1), 'GET /chat/stream1?wait=10 e1.2');
  desk.clock.advance(GRACE_MS);
  await desk.passPause();
  await answer(1, 'streaming', 'Hello you');
  server.turn.done();
  await nextPoll(desk);
  await settled;
  await answer(1, 'done', 'Hello you');
  assert.ok(desk.history.every(({ messages }) => 'Hello you'.startsWith(messages[1]?.text ?? '')));
}));

/** What is said over so long a time comes at once. */
async function bringLump({ server, clock, until }, spanMs, silenceMs = spanMs) {
  const before = server.turn.text;
  gate.isOpen = false;
  server.turn.say(' a', clock.now());
  clock.advance(silenceMs);
  gate.isOpen = true;
  server.turn.say(' b', clock.now() - silenceMs + spanMs);
  await until(({ messages }) => messages[1].text === `${before} a b`);
}

test('a line that brings lumps is asked about sooner', atGate(async (desk) => {
  const { server, answer, connection } = desk;
  const { settled } = await beginAnswer(desk);
  await bringLump(desk, 2000);
  gate.isOpen = false;
  server.turn.say('!');
  await look(desk, 1000);
  desk.clock.advance(GRACE_MS);
  await connection('reconnecting');
  await desk.passPause();
  server.turn.done();
  await settled;
  await answer(1, 'done', 'Hello a b!');
}));

test('nor does a lump that comes while it is asked about pass for a good sign', atGate(async (desk) => {
  const { server, clock } = desk;
  const { settled } = await beginAnswer(desk);
  gate.isOpen = false;
  server.turn.say(' a', clock.now());
  await look(desk);
  gate.isOpen = true;
  server.turn.say(' b', clock.now());
  await desk.answer(1, 'streaming', 'Hello a b');
  clock.advance(GRACE_MS);
  await eventually(() => clock.waiting.includes(1000));
  server.turn.done();
  await settled;
}));

test('what comes often enough, or has waited for us, are no lumps', atGate(async (desk) => {
  const { server, clock } = desk;
  const { settled } = await beginAnswer(desk);
  for (const [spanMs, silenceMs] of [[999, 999], [900, 2000], [30_000, 2000], [2000, 0], [30_000, 100]]) {
    await bringLump(desk, spanMs, silenceMs);
    assert.ok(clock.waiting.includes(PATIENCE_MS), `${spanMs} after ${silenceMs}`);
  }
  server.turn.done();
  await settled;
}));

test('a slow line is left alone', atLine(async (desk) => {
  const { client, server, answer } = desk;
  let arrive;
  server.faults.push((_, response, proceed) => {
    arrive = proceed;
  });
  const settled = client.ask('one');
  await eventually(() => arrive);
  // The server has the question, and its answer is on the way.
  server.messages.push({ messageId: 'q', author: 'visitor', content: 'one', requestId: 'r1', createdAt: 1 });
  await look(desk);
  arrive();
  server.turn.say('Hello');
  await answer(1, 'streaming', 'Hello');
  await pass(desk);
  server.turn.done();
  await settled;
  assert.deepEqual(server.requests, ['POST /chat', 'GET /conversation']);
}, { line: null }));

test('a question that has not arrived yet says nothing against the line, and has more time', atLine(async (desk) => {
  const { client, server, store } = desk;
  server.faults.push(silent);
  void client.ask('one');
  await eventually(() => server.requests.length === 1);
  for (const silenceMs of [2500, 5000]) await acquit(desk, silenceMs);
  assert.equal(store.get().connection, 'connecting');
  assert.deepEqual(server.requests.slice(1), ['GET /conversation', 'GET /conversation']);
}));

test('a model that thinks is waited for', atLine(async (desk) => {
  const { server, answer, clock } = desk;
  const { settled } = await beginAnswer(desk);
  clock.advance(PATIENCE_MS);
  await eventually(() => server.requests.length === 2);
  // Told by both ways at once.
  server.turn.say(' you');
  await answer(1, 'streaming', 'Hello you');
  await pass(desk);
  server.turn.done();
  await settled;
  assert.deepEqual(server.requests, ['POST /chat', 'GET /chat/stream1?wait=10 e1.2']);
}, { line: null }));

test('who cannot be asked says nothing against the line', atLine(async (desk) => {
  const { server, answer } = desk;
  const { settled } = await beginAnswer(desk);
  for (const [fault, silenceMs] of [[loginPage, 2500], [reply(503, null), 5000], [unreachable, 10_000]]) {
    server.faults.push(fault);
    await acquit(desk, silenceMs);
  }
  server.turn.done();
  await settled;
  await answer(1, 'done', 'Hello');
  assert.equal(server.requests.length, 4);
}, { line: null }));

test('a line is asked about once at a time', atLine(async (desk) => {
  const { server, clock } = desk;
  let write;
  server.faults.push((_, response, proceed) => {
    write = (text) => response.write(text);
    proceed();
  }, silent);
  await beginAnswer(desk);
  clock.advance(PATIENCE_MS);
  await eventually(() => server.requests.length === 2);
  write(': hb\n');
  await eventually(() => clock.waiting.includes(37_500));
  clock.advance(20_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(server.requests.length, 2);
}, { line: null }));

test('an answer that has ended is asked about no more', atLine(async (desk) => {
  const { client, server, clock } = desk;
  await client.ask('one');
  clock.advance(60_000);
  await new Promise(setImmediate);
  assert.deepEqual([server.requests.length, clock.waiting], [1, []]);
}, { line: null, answer: (turn) => turn.done() }));

test('nor is one that ends while it is asked about', atLine(async (desk) => {
  const { server, clock } = desk;
  const { settled } = await beginAnswer(desk);
  clock.advance(PATIENCE_MS);
  await eventually(() => server.requests.length === 2);
  server.turn.done();
  await settled;
  await eventually(() => clock.waiting.includes(GRACE_MS));
  clock.advance(1000);
  await new Promise(setImmediate);
  assert.deepEqual([server.requests.length, clock.waiting], [2, []]);
}, { line: null }));

test('Stop works before the line is known to hold back, and asks nothing again', atLine(async (desk) => {
  const { client, server, answer, clock } = desk;
  const settled = client.ask('one');
  await eventually(() => server.turn);
  client.stop();
  await look(desk);
  clock.advance(GRACE_MS);
  // A pause between two attempts, which nobody is shown any more.
  await eventually(() => clock.waiting.includes(500));
  clock.advance(500);
  await settled;
  await answer(1, 'aborted');
  assert.equal(server.turn.end.finishReason, 'aborted');
  assert.deepEqual(server.requests.filter((request) => request.startsWith('POST /chat')).slice(1), [
    'POST /chat/stream1/abort',
  ]);
}));

test('that a line holds back is remembered for an hour, by all pages', () => {
  const stored = new Map();
  const area = () => ({ getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => stored.set(key, value) });
  let time = 1_700_000_000_000;
  const now = () => time;
  const memory = createMemory('https://shop.example/api/ai', now, area);
  assert.equal(memory.isHeld(), false);
  memory.remember();
  assert.equal(memory.isHeld(), true);
  assert.equal(createMemory('https://shop.example/api/ai', now, area).isHeld(), true);
  assert.equal(createMemory('https://other.example/api/ai', now, area).isHeld(), false);
  time += 3_600_000;
  assert.equal(memory.isHeld(), false);
  assert.equal(createMemory('https://shop.example/api/ai', now, area).isHeld(), false);
});

test('without storage the page itself remembers', () => {
  const area = () => {
    throw new DOMException('blocked', 'SecurityError');
  };
  const memory = createMemory('https://shop.example/api/ai', () => 1_700_000_000_000, area);
  assert.equal(memory.isHeld(), false);
  memory.remember();
  assert.equal(memory.isHeld(), true);
});
