import assert from 'node:assert/strict';
import { test } from 'node:test';

import { atDesk, beginAnswer, eventually } from './desk.js';
import { silent, unreachable } from './stand_in.js';

const SILENCE_MS = 37_500;
const MINUTE_MS = 60_000;

test('no byte for two and a half heartbeats is a drop', atDesk(async (desk) => {
  const { server, clock, connection, passPause, answer } = desk;
  const { settled } = await beginAnswer(desk);
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
  const { server, clock } = desk;
  let write;
  server.faults.push((_, response, proceed) => {
    write = (text) => response.write(text);
    proceed();
  });
  const { settled } = await beginAnswer(desk);
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
  const { settled } = await beginAnswer(desk);
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
  const { client, server, clock } = desk;
  const { settled } = await beginAnswer(desk);
  clock.advance(16_000);
  client.resumeNow();
  server.turn.done();
  await settled;
  assert.equal(server.requests.length, 1);
}));

test('resumeNow after a sleep does not trust the old connection', atDesk(async (desk) => {
  const { client, server, clock, passPause } = desk;
  const { settled } = await beginAnswer(desk);
  clock.sleep(20_000);
  client.resumeNow();
  await passPause();
  server.turn.done();
  await settled;
  assert.equal(server.requests[1], 'GET /chat/stream1 e1.2');
}));

test('the pauses grow, and are short again after ten healthy seconds', atDesk(async (desk) => {
  const { server, clock, passPause, until, connection } = desk;
  const { settled } = await beginAnswer(desk);
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
