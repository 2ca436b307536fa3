import assert from 'node:assert/strict';
import { test } from 'node:test';

import { atDesk, beginAnswer, eventually } from './desk.js';
import { fine, loginPage, lostReply, reply, unreachable } from './stand_in.js';

const ABORT = 'POST /chat/stream1/abort';

test('stop is shown at once, and the text is the one that the server kept', atDesk(async (desk) => {
  const { client, server, store, bubble } = desk;
  const { settled } = await beginAnswer(desk);
  client.stop();
  assert.deepEqual([bubble('a-r1').state, store.get().connection], ['aborted', 'idle']);
  server.turn.say(' there');
  await settled;
  assert.deepEqual([bubble('a-r1').state, bubble('a-r1').text], ['aborted', 'Hello there']);
  assert.deepEqual(server.requests, ['POST /chat', ABORT]);
  assert.equal(store.get().turn, null);
}));

test('stop twice is one stop', atDesk(async (desk) => {
  const { settled } = await beginAnswer(desk);
  desk.client.stop();
  desk.client.stop();
  await settled;
  desk.client.stop();
  assert.deepEqual(desk.server.requests, ['POST /chat', ABORT]);
}));

test('stop with nothing running is harmless', atDesk(async ({ client, server, store }) => {
  const before = store.get();
  client.stop();
  assert.equal(store.get(), before);
  assert.deepEqual(server.requests, []);
}));

test('stop before the stream has a name aborts it as soon as it has one', atDesk(async (desk) => {
  const { client, server, bubble } = desk;
  let proceed;
  server.faults.push((_, __, go) => (proceed = go));
  const settled = client.ask('one');
  await eventually(() => proceed);
  client.stop();
  assert.equal(bubble('a-r1').state, 'aborted');
  proceed();
  await settled;
  assert.deepEqual(server.requests, ['POST /chat', ABORT]);
  assert.equal(server.turn.end.finishReason, 'aborted');
}));

test('stop while a question waits: the next one starts, and the stop is not forgotten', atDesk(async (desk) => {
  const { client, server, answer } = desk;
  const { settled } = await beginAnswer(desk);
  const second = client.ask('two');
  client.stop();
  await settled;
  await eventually(() => server.turns.length === 2);
  server.turn.say('Second');
  server.turn.done();
  await second;
  await answer(1, 'aborted');
  await answer(2, 'done', 'Second');
}));

test('stop while reconnecting reaches the server as soon as it can be reached', atDesk(async (desk) => {
  const { client, server, store, bubble, connection } = desk;
  const { settled } = await beginAnswer(desk);
  server.cut();
  await connection('reconnecting');
  server.faults.push(unreachable, unreachable);
  client.stop();
  assert.deepEqual([bubble('a-r1').state, store.get().connection], ['aborted', 'idle']);
  await eventually(() => server.requests.length === 3);
  assert.equal(server.turn.end, null);
  await eventually(() => {
    client.resumeNow();
    return store.get().turn === null;
  });
  await settled;
  assert.equal(server.turn.end.finishReason, 'aborted');
  assert.equal(bubble('a-r1').state, 'aborted');
}));

test('an abort that does not arrive is sent again, after the answer was resumed', atDesk(async (desk) => {
  const { client, server, clock } = desk;
  const { settled } = await beginAnswer(desk);
  const busy = reply(503, { error: { code: 'OVERLOADED', retryable: true } });
  server.faults.push(unreachable, fine, busy, fine, loginPage, fine);
  client.stop();
  for (const count of [2, 4, 6]) {
    await eventually(() => server.requests.length === count);
    await eventually(() => clock.waiting.length === 1 && clock.waiting[0] < 10_000);
    clock.advance(clock.waiting[0]);
  }
  await settled;
  const resume = 'GET /chat/stream1 e1.2';
  assert.deepEqual(server.requests.slice(1), [ABORT, resume, ABORT, resume, ABORT, resume, ABORT]);
}));

test('an abort that is refused is not sent again; the answer runs to its end', atDesk(async (desk) => {
  const { client, server, clock, bubble } = desk;
  const { settled } = await beginAnswer(desk);
  server.faults.push(reply(404, { error: { code: 'NOT_FOUND', retryable: false } }));
  client.stop();
  await eventually(() => server.requests.length === 2);
  clock.advance(30_000);
  server.turn.done();
  await settled;
  assert.equal(bubble('a-r1').state, 'done');
  assert.deepEqual(server.requests, ['POST /chat', ABORT]);
}));

test('a question stopped before it reached the server is not asked after all', atDesk(async (desk) => {
  const { client, server, until, bubble } = desk;
  server.faults.push(unreachable);
  const settled = client.ask('one');
  await until((state) => state.wait);
  client.stop();
  await settled;
  assert.deepEqual(server.requests, ['POST /chat', 'GET /conversation']);
  assert.equal(server.turns.length, 0);
  assert.deepEqual([bubble('a-r1').state, bubble('q-r1').state], ['aborted', 'done']);
}));

test('a question whose reply was lost is found and stopped', atDesk(async (desk) => {
  const { client, server, until, bubble } = desk;
  server.faults.push(lostReply);
  const settled = client.ask('one');
  await until((state) => state.wait);
  client.stop();
  await settled;
  assert.equal(server.turn.end.finishReason, 'aborted');
  assert.equal(bubble('a-r1').state, 'aborted');
  assert.deepEqual(server.requests.slice(0, 2), ['POST /chat', 'GET /conversation']);
}));

test('stop of a question that the server makes wait', atDesk(async (desk) => {
  const { client, server, until, bubble } = desk;
  server.faults.push(reply(429, { error: { code: 'RATE_LIMITED', retryable: true } }, { 'Retry-After': '30' }));
  const settled = client.ask('one');
  await until((state) => state.wait);
  client.stop();
  await settled;
  assert.equal(server.turns.length, 0);
  assert.equal(bubble('a-r1').state, 'aborted');
}));

test('stop of a question that turns out to be second in line', atDesk(async (desk) => {
  const { client, server, bubble, store } = desk;
  let refuse;
  server.faults.push((...exchange) => {
    refuse = () => reply(409, { error: { code: 'TURN_RUNNING', retryable: true } })(...exchange);
  });
  const settled = client.ask('one');
  await eventually(() => refuse);
  client.stop();
  refuse();
  await settled;
  assert.equal(bubble('a-r1').state, 'aborted');
  assert.deepEqual([store.get().queued, store.get().turn], [0, null]);
  assert.equal(server.requests.length, 1);
}));

test('stop of a question that is refused stays a stop', atDesk(async (desk) => {
  const { client, server, bubble } = desk;
  let refuse;
  server.faults.push((...exchange) => {
    refuse = () => reply(403, null)(...exchange);
  });
  const settled = client.ask('one');
  await eventually(() => refuse);
  client.stop();
  refuse();
  await settled;
  assert.deepEqual([bubble('a-r1').state, bubble('a-r1').error], ['aborted', null]);
}));

test('after a stop that the server cannot hear, a new question makes the line worth showing', atDesk(async (desk) => {
  const { client, server, connection, store } = desk;
  await beginAnswer(desk);
  server.faults.push(...Array(20).fill(unreachable));
  server.cut();
  await connection('reconnecting');
  client.stop();
  assert.equal(store.get().connection, 'idle');
  void client.ask('two');
  assert.equal(store.get().connection, 'reconnecting');
}));

test('a stop that came after the end changes nothing', atDesk(async (desk) => {
  const { client, server, bubble } = desk;
  const { settled } = await beginAnswer(desk);
  server.turn.done();
  client.stop();
  await settled;
  assert.deepEqual([bubble('a-r1').state, bubble('a-r1').text], ['done', 'Hello']);
}));
