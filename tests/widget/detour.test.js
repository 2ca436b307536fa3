import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createMemory } from '../../widget/src/detour.js';
import { atDesk, beginAnswer, createDesk, eventually } from './desk.js';
import { below, pieces, seeded } from './seeds.js';
import { cutAfter, holding, loginPage, reply, silent, startStandIn } from './stand_in.js';

const PATIENCE_MS = 2500;
const GRACE_MS = 500;
const PAUSE_MS = 500;

/** A line that is known to hold back, or is not yet. */
function createKnown(isHeld = false) {
  return {
    isHeld: () => isHeld,
    remember() {
      isHeld = true;
    },
  };
}

const atLine = (play, { isHeld = false, line = holding(), ...server } = {}) =>
  atDesk((desk) => {
    desk.server.line = line;
    return play(desk);
  }, { desk: { memory: createKnown(isHeld) }, server });

/** Lets the line be asked about: it was silent for so long. Resolves when it is known what the server has. */
async function look({ clock }, silenceMs = PATIENCE_MS) {
  await eventually(() => clock.waiting.includes(silenceMs));
  clock.advance(silenceMs);
  await eventually(() => clock.waiting.includes(GRACE_MS));
}

/** The same, and it is found to hold back. */
async function notice(desk) {
  await look(desk);
  desk.clock.advance(GRACE_MS);
  await desk.connection('reconnecting');
  await desk.passPause();
}

/** Lets the next poll begin. */
async function nextPoll({ clock, server }) {
  const { length } = server.requests;
  await eventually(() => clock.waiting.includes(PAUSE_MS));
  clock.advance(PAUSE_MS);
  await eventually(() => server.requests.length > length);
}

test('a line that holds everything back is noticed, and the answer is polled', atLine(async (desk) => {
  const { client, server, answer, until, store } = desk;
  const settled = client.ask('one');
  await eventually(() => server.turn);
  server.turn.say('Hello');
  assert.equal(store.get().connection, 'connecting');
  await notice(desk);
  await answer(1, 'streaming', 'Hello');
  assert.equal(store.get().connection, 'streaming');
  await nextPoll(desk);
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

const gate = { isOpen: true };

test('what is held back in mid-answer comes after what was read', atLine(async (desk) => {
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
}, { line: holding({ gate }) }));

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
  desk.clock.advance(GRACE_MS);
  server.turn.done();
  await settled;
  assert.deepEqual(server.requests, ['POST /chat', 'GET /conversation']);
}, { line: null }));

test('a question that has not arrived yet says nothing against the line, and has more time', atLine(async (desk) => {
  const { client, server, store, clock } = desk;
  server.faults.push(silent);
  void client.ask('one');
  await eventually(() => server.requests.length === 1);
  for (const silenceMs of [2500, 5000, 10_000]) {
    await look(desk, silenceMs);
    clock.advance(GRACE_MS);
  }
  assert.equal(store.get().connection, 'connecting');
  assert.deepEqual(server.requests.slice(1), ['GET /conversation', 'GET /conversation', 'GET /conversation']);
}));

test('a model that thinks is waited for', atLine(async (desk) => {
  const { server, answer, clock } = desk;
  const { settled } = await beginAnswer(desk);
  clock.advance(PATIENCE_MS);
  await eventually(() => server.requests.length === 2);
  // Told by both ways at once.
  server.turn.say(' you');
  await answer(1, 'streaming', 'Hello you');
  await eventually(() => clock.waiting.includes(GRACE_MS));
  clock.advance(GRACE_MS);
  assert.equal(desk.store.get().connection, 'streaming');
  server.turn.done();
  await settled;
  assert.deepEqual(server.requests, ['POST /chat', 'GET /chat/stream1?wait=10 e1.2']);
}, { line: null }));

test('who cannot be asked says nothing against the line', atLine(async (desk) => {
  const { server, answer, clock } = desk;
  const { settled } = await beginAnswer(desk);
  for (const [fault, silenceMs] of [[loginPage, 2500], [reply(503, null), 5000]]) {
    server.faults.push(fault);
    await look(desk, silenceMs);
    clock.advance(GRACE_MS);
  }
  server.turn.done();
  await settled;
  await answer(1, 'done', 'Hello');
  assert.equal(server.requests.length, 3);
}, { line: null }));

test('an answer that has ended is asked about no more', atLine(async (desk) => {
  const { server, clock } = desk;
  const { settled } = await beginAnswer(desk);
  server.turn.done();
  await settled;
  clock.advance(60_000);
  assert.deepEqual([server.requests.length, clock.waiting], [1, []]);
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

test('Stop works while the answer is polled', atLine(async (desk) => {
  const { client, server, answer, until } = desk;
  const settled = client.ask('one');
  await until(({ turn }) => turn?.streamId);
  server.turn.say('Hello');
  await nextPoll(desk);
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
    server.faults.push(fault);
    server.turn.say('word ');
    await nextPoll(desk);
    await passPause();
    await until(({ connection }) => connection === 'streaming');
  }
  server.turn.done();
  await nextPoll(desk);
  await settled;
  await answer(1, 'done', 'word word word ');
}, { isHeld: true }));

test('a destroyed client polls no more', atLine(async (desk) => {
  const { client, server, clock, until } = desk;
  void client.ask('one');
  await until(({ turn }) => turn?.streamId);
  await eventually(() => clock.waiting.includes(PAUSE_MS));
  client.destroy();
  await eventually(() => server.turn.readers.size === 0);
  const { length } = server.requests;
  clock.advance(PAUSE_MS);
  await new Promise(setImmediate);
  assert.equal(server.requests.length, length);
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
