import assert from 'node:assert/strict';
import { test } from 'node:test';

import { atDesk, createDesk, eventually } from './desk.js';
import { below, pieces, seeded } from './seeds.js';
import { cutAfter, fine, loginPage, reply, silent, startStandIn, unreachable } from './stand_in.js';

const SILENCE_MS = 37_500;
const MINUTE_MS = 60_000;

/** Asks one question and waits for the first words of its answer. */
async function begin({ client, server, answer }) {
  const settled = client.ask('one');
  await eventually(() => server.turn);
  server.turn.say('Hello');
  await answer(1, 'streaming', 'Hello');
  return settled;
}

test('a drop is seen at once, and the answer goes on exactly where it was cut', atDesk(async (desk) => {
  const { server, connection, passPause, answer, bubble } = desk;
  const settled = begin(desk);
  await answer(1, 'streaming', 'Hello');
  server.cut();
  const { wait } = await connection('reconnecting');
  assert.equal(wait.code, 'CONNECTION_LOST');
  assert.equal(bubble('a-r1').state, 'streaming');
  server.turn.say(' there');
  await passPause();
  await answer(1, 'streaming', 'Hello there');
  assert.equal(server.requests.at(-1), 'GET /chat/stream1 e1.2');
  assert.equal(desk.store.get().connection, 'streaming');
  server.turn.done();
  await settled;
  await answer(1, 'done', 'Hello there');
}));

test('a body that ends without a terminal event is a drop, not an answer', atDesk(async (desk) => {
  const { client, server, passPause, answer, until } = desk;
  server.faults.push((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.end('retry: 1000\n');
  });
  const settled = client.ask('one');
  await passPause();
  await until((state) => state.turn?.streamId);
  server.turn.say('Hello');
  server.turn.done();
  await settled;
  await answer(1, 'done', 'Hello');
  assert.deepEqual(server.requests, ['POST /chat', 'POST /chat']);
}));

test('wherever the stream is cut, nothing is lost and nothing is doubled', async () => {
  const text = 'Grüße, 世界! 👩‍👩‍👧 All of it.';
  const random = seeded(5);
  const server = await startStandIn({
    answer: (turn) => {
      for (const piece of pieces(random, text, 6)) turn.say(piece);
      turn.done();
    },
  });
  for (let length = 0; length < 1200; length += 7) {
    const desk = createDesk(server.endpoint, { isHurried: true, newId: () => `cut${length}` });
    server.faults.push(cutAfter(length), cutAfter(length));
    await desk.client.ask('one');
    const { text: shown, state, revision } = desk.bubble(`a-cut${length}`);
    assert.deepEqual([shown, state, revision], [text, 'done', 0], `cut after ${length} bytes`);
    for (const { messages } of desk.history) assert.ok(text.startsWith(messages[1]?.text ?? ''), `cut after ${length}`);
    desk.client.destroy();
    server.faults.length = 0;
  }
  await server.close();
});

test('three hundred answers, each cut at up to five random places: none lost, doubled or stuck', async () => {
  const random = seeded(6);
  const server = await startStandIn({
    async answer(turn) {
      for (let at = 0; at < 30; at += 1) {
        turn.say(`word ${at} `);
        if (at % 5 === 0) await new Promise(setImmediate);
      }
      turn.done();
    },
  });
  const whole = Array.from({ length: 30 }, (_, at) => `word ${at} `).join('');
  for (let round = 0; round < 300; round += 1) {
    const desk = createDesk(server.endpoint, { isHurried: true, random, newId: () => `round${round}` });
    server.faults.push(...Array.from({ length: below(random, 6) }, () => cutAfter(below(random, 3000))));
    await desk.client.ask('one');
    const { text, state } = desk.bubble(`a-round${round}`);
    assert.deepEqual([text, state], [whole, 'done'], `round ${round}`);
    desk.client.destroy();
    server.faults.length = 0;
  }
  assert.equal(server.turns.length, 300);
  await server.close();
});

test('an event that does not fit makes the client read the whole stream again', atDesk(async (desk) => {
  const { server, passPause, answer } = desk;
  const settled = begin(desk);
  await answer(1, 'streaming');
  server.turn.send('token', { text: 'later', index: 50 });
  await passPause();
  server.turn.events.pop();
  server.turn.say(' there');
  server.turn.done();
  await eventually(() => server.requests.length === 2);
  assert.equal(server.requests[1], 'GET /chat/stream1');
  await settled;
  await answer(1, 'done', 'Hello there');
}));

test('reset starts the answer again', atDesk(async (desk) => {
  const { server, answer } = desk;
  const settled = begin(desk);
  await answer(1, 'streaming');
  server.turn.send('reset', { reason: 'epoch' });
  server.turn.text = '';
  server.turn.say('Hi');
  await answer(1, 'streaming', 'Hi');
  server.turn.done();
  await settled;
  assert.deepEqual([desk.bubble('a-r1').revision, desk.bubble('a-r1').text], [1, 'Hi']);
}));

test('a stream that is no longer held is settled from the conversation', atDesk(async (desk) => {
  const { server, passPause, answer } = desk;
  const settled = begin(desk);
  await answer(1, 'streaming');
  server.faults.push(reply(404, { error: { code: 'NOT_FOUND', retryable: false } }));
  server.cut();
  await desk.connection('reconnecting');
  server.turn.say(' there');
  server.turn.done();
  await passPause();
  await settled;
  await answer(1, 'done', 'Hello there');
  assert.deepEqual(server.requests.slice(1), ['GET /chat/stream1 e1.2', 'GET /conversation']);
}));

test('204 on a resume is settled from the conversation', atDesk(async (desk) => {
  const { server, passPause, answer } = desk;
  const settled = begin(desk);
  await answer(1, 'streaming');
  server.faults.push((_, response) => response.writeHead(204).end());
  server.cut();
  await desk.connection('reconnecting');
  server.turn.done();
  await passPause();
  await settled;
  await answer(1, 'done', 'Hello');
}));

test('an answer that was interrupted while we were away fails with that', atDesk(async (desk) => {
  const { server, passPause, answer } = desk;
  const settled = begin(desk);
  await answer(1, 'streaming');
  server.faults.push(reply(404, null));
  server.cut();
  await desk.connection('reconnecting');
  server.turn.fail('INTERRUPTED');
  await passPause();
  await settled;
  const { error, text } = await answer(1, 'failed');
  assert.deepEqual([error.code, error.retryable, text], ['INTERRUPTED', true, 'Hello']);
}));

test('an answer that nobody knows any more fails, and may be asked for again', atDesk(async (desk) => {
  const { server, passPause, answer } = desk;
  const settled = begin(desk);
  await answer(1, 'streaming');
  server.cut();
  await desk.connection('reconnecting');
  Object.assign(server, { turns: [], messages: [] });
  await passPause();
  await settled;
  assert.deepEqual((await answer(1, 'failed')).error, { code: 'ANSWER_LOST', message: '', retryable: true });
}));

test('a stream that got another name is followed under that one', atDesk(async (desk) => {
  const { server, passPause, answer } = desk;
  const settled = begin(desk);
  await answer(1, 'streaming');
  server.cut();
  await desk.connection('reconnecting');
  server.turn.streamId = 'other';
  server.turn.epoch = 'f1';
  await passPause();
  await eventually(() => server.requests.length === 4);
  assert.deepEqual(server.requests.slice(1), ['GET /chat/stream1 e1.2', 'GET /conversation', 'GET /chat/other f1.0']);
  server.turn.say('!');
  server.turn.done();
  await settled;
  await answer(1, 'done', 'Hello!');
}));

test('a stream that is denied and yet said to run is asked for again, with a pause', atDesk(async (desk) => {
  const { server, passPause, answer } = desk;
  const settled = begin(desk);
  await answer(1, 'streaming');
  server.faults.push(reply(404, null));
  server.cut();
  await passPause();
  await passPause();
  await eventually(() => server.requests.length === 4);
  server.turn.done();
  await settled;
  await answer(1, 'done', 'Hello');
}));

test('a login page instead of the conversation is tried again', atDesk(async (desk) => {
  const { server, passPause, answer } = desk;
  const settled = begin(desk);
  await answer(1, 'streaming');
  server.faults.push(reply(404, null), loginPage);
  server.cut();
  await passPause();
  server.turn.done();
  await passPause();
  await settled;
  await answer(1, 'done', 'Hello');
}));

test('no byte for two and a half heartbeats is a drop', atDesk(async (desk) => {
  const { server, clock, connection, passPause, answer } = desk;
  const settled = begin(desk);
  await answer(1, 'streaming');
  clock.advance(SILENCE_MS - 1);
  assert.equal(desk.store.get().connection, 'streaming');
  clock.advance(1);
  await connection('reconnecting');
  await passPause();
  server.turn.done();
  await settled;
  await answer(1, 'done', 'Hello');
}));

test('a heartbeat keeps a silent stream alive', atDesk(async (desk) => {
  const { server, clock, answer } = desk;
  let write;
  server.faults.push((_, response, proceed) => {
    write = (text) => response.write(text);
    proceed();
  });
  const settled = begin(desk);
  await answer(1, 'streaming');
  for (let beat = 1; beat <= 4; beat += 1) {
    clock.advance(30_000);
    write(': hb\n');
    await eventually(() => clock.waiting.at(-1) === SILENCE_MS);
  }
  assert.equal(desk.store.get().connection, 'streaming');
  server.turn.done();
  await settled;
  assert.equal(server.requests.length, 1);
}));

test('a request that gets no reply at all is cut and sent again', atDesk(async (desk) => {
  const { client, server, clock, connection, passPause } = desk;
  server.faults.push(silent);
  const settled = client.ask('one');
  await eventually(() => server.requests.length === 1);
  clock.advance(SILENCE_MS);
  await connection('reconnecting');
  await passPause();
  await settled;
  assert.deepEqual(server.bodies.map(({ requestId }) => requestId), ['r1', 'r1']);
}, { server: { answer: (turn) => turn.done() } }));

test('resumeNow tries at once instead of waiting', atDesk(async (desk) => {
  const { client, server, connection, answer } = desk;
  const settled = begin(desk);
  await answer(1, 'streaming');
  server.cut();
  await connection('reconnecting');
  client.resumeNow();
  server.turn.done();
  await settled;
  await answer(1, 'done', 'Hello');
}));

test('a new question tries at once, too', atDesk(async (desk) => {
  const { client, server, until, answer } = desk;
  server.faults.push(unreachable);
  const first = client.ask('one');
  await until((state) => state.wait);
  await Promise.all([first, client.ask('two')]);
  await answer(1, 'done');
  await answer(2, 'done');
}, { server: { answer: (turn) => turn.done() } }));

test('resumeNow leaves a healthy stream alone', atDesk(async (desk) => {
  const { client, server, clock, answer } = desk;
  const settled = begin(desk);
  await answer(1, 'streaming');
  clock.advance(16_000);
  client.resumeNow();
  server.turn.done();
  await settled;
  assert.equal(server.requests.length, 1);
}));

test('resumeNow after a sleep does not trust the old connection', atDesk(async (desk) => {
  const { client, server, clock, passPause, answer } = desk;
  const settled = begin(desk);
  await answer(1, 'streaming');
  clock.sleep(20_000);
  client.resumeNow();
  await passPause();
  server.turn.done();
  await settled;
  assert.equal(server.requests[1], 'GET /chat/stream1 e1.2');
}));

test('the pauses grow, and are short again after ten healthy seconds', atDesk(async (desk) => {
  const { server, clock, passPause, until, answer, connection } = desk;
  const settled = begin(desk);
  await answer(1, 'streaming');
  const pause = async () => {
    server.cut();
    const { wait } = await connection('reconnecting');
    const ms = wait.until - clock.now();
    await passPause();
    await until((state) => state.connection === 'streaming');
    return ms;
  };
  assert.deepEqual([await pause(), await pause(), await pause()], [500, 500, 1000]);
  clock.advance(10_000);
  assert.deepEqual([await pause(), await pause()], [500, 500]);
  server.turn.done();
  await settled;
}));

test('the delay that the server asks for is kept', atDesk(async (desk) => {
  const { client, server, until, clock } = desk;
  server.faults.push((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.end('retry: 30000\n');
  });
  void client.ask('one');
  const { wait } = await until((state) => state.wait);
  assert.equal(wait.until - clock.now(), 15_000);
}));

/** Lets every attempt fail until the client gives up. */
async function giveUp({ clock, until, store, server }) {
  while (store.get().connection !== 'lost') {
    server.faults.push(unreachable);
    const { wait } = await until((state) => state.wait || state.connection === 'lost');
    if (!wait) break;
    clock.advance(wait.until - clock.now());
    await until((state) => state.wait !== wait);
  }
}

test('after five minutes without a byte it gives up, the question kept', atDesk(async (desk) => {
  const { client, server, clock, store, answer } = desk;
  const start = clock.now();
  const settled = client.ask('one');
  await giveUp(desk);
  const minutes = (clock.now() - start) / MINUTE_MS;
  assert.ok(minutes >= 5 && minutes < 5.5, `${minutes} minutes`);
  assert.equal(store.get().wait, null);
  assert.equal(desk.bubble('a-r1').state, 'sending');
  const tries = server.requests.length;
  clock.advance(60 * MINUTE_MS);
  assert.equal(server.requests.length, tries);

  server.faults.length = 0;
  client.resumeNow();
  await settled;
  await answer(1, 'done');
  assert.equal(store.get().connection, 'idle');
}, { server: { answer: (turn) => turn.done() } }));

test('Retry on the waiting answer is a way back, too', atDesk(async (desk) => {
  const { client, server, answer } = desk;
  const settled = client.ask('one');
  await giveUp(desk);
  server.faults.length = 0;
  await client.retry('a-r1');
  await settled;
  await answer(1, 'done');
  assert.equal(server.turns.length, 1);
}, { server: { answer: (turn) => turn.done() } }));

test('after coming back it has its full patience again', atDesk(async (desk) => {
  const { client, server, until, connection } = desk;
  void client.ask('one');
  await giveUp(desk);
  server.faults.push(unreachable);
  client.resumeNow();
  const { wait } = await until((state) => state.wait);
  assert.equal(wait.until - desk.clock.now(), 500);
  await connection('reconnecting');
}));

test('a line without end fails the answer and is not read again', atDesk(async (desk) => {
  const { client, server, answer } = desk;
  server.faults.push(fine);
  const settled = client.ask('one');
  await eventually(() => server.turn);
  server.turn.send('token', { text: 'x'.repeat(9 * 1024 * 1024), index: 0 });
  await settled;
  const { error } = await answer(1, 'failed');
  assert.deepEqual([error.code, error.retryable], ['FRAME_TOO_LARGE', false]);
  assert.equal(server.requests.length, 1);
}));
