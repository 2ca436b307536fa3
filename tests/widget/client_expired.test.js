/** The server's session is over: what waits is kept, nothing is asked in vain. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { atDesk, beginAnswer } from './desk.js';
import { reply } from './stand_in.js';

const over = reply(401, { error: { code: 'SESSION_EXPIRED', message: 'Over.', retryable: false } });

/** Until it is woken, whatever time passes. */
async function waits({ server, clock, connection, store }) {
  await connection('lost');
  assert.equal(store.get().wait.code, 'SESSION_EXPIRED');
  const before = server.requests.length;
  clock.advance(3_600_000);
  await new Promise(setImmediate);
  assert.equal(server.requests.length, before);
}

test('a question waits until the page has told who its visitor is', atDesk(async (desk) => {
  desk.server.faults.push(over);
  const settled = desk.client.ask('one');
  await waits(desk);
  assert.deepEqual(desk.store.get().messages.map(({ state }) => state), ['sending', 'sending']);
  desk.client.resumeNow();
  await desk.answer(1, 'sending');
  await desk.connection('streaming');
  desk.server.turn.done();
  await settled;
  assert.equal(desk.store.get().connection, 'idle');
}));

test('a running answer waits, and goes on where it was', atDesk(async (desk) => {
  const { settled } = await beginAnswer(desk);
  desk.server.faults.push(over);
  desk.server.cut();
  await desk.passPause();
  await waits(desk);
  assert.equal(desk.bubble('a-r1').text, 'Hello');
  desk.client.resumeNow();
  await desk.connection('streaming');
  desk.server.turn.say(' you');
  desk.server.turn.done();
  await settled;
  assert.equal(desk.bubble('a-r1').text, 'Hello you');
}));

test('the conversation waits to be read', atDesk(async (desk) => {
  desk.server.faults.push(over);
  const restored = desk.client.restore();
  await waits(desk);
  desk.client.resumeNow();
  await restored;
  assert.deepEqual(desk.server.requests, ['GET /conversation', 'GET /conversation']);
}));
