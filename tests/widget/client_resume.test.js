import assert from 'node:assert/strict';
import { test } from 'node:test';

import { atDesk, beginAnswer, createDesk, eventually } from './desk.js';
import { below, pieces, seeded } from './seeds.js';
import { cutAfter, fine, loginPage, reply, startStandIn } from './stand_in.js';

test('a drop is seen at once, and the answer goes on exactly where it was cut', atDesk(async (desk) => {
  const { server, connection, passPause, answer, bubble } = desk;
  const { settled } = await beginAnswer(desk);
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
  const { settled } = await beginAnswer(desk);
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
  const { settled } = await beginAnswer(desk);
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
  const { settled } = await beginAnswer(desk);
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
  const { settled } = await beginAnswer(desk);
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
  const { settled } = await beginAnswer(desk);
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
  const { settled } = await beginAnswer(desk);
  server.cut();
  await desk.connection('reconnecting');
  Object.assign(server, { turns: [], messages: [] });
  await passPause();
  await settled;
  assert.deepEqual((await answer(1, 'failed')).error, { code: 'ANSWER_LOST', message: '', retryable: true });
}));

test('a stream that got another name is followed under that one', atDesk(async (desk) => {
  const { server, passPause, answer } = desk;
  const { settled } = await beginAnswer(desk);
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
  const { settled } = await beginAnswer(desk);
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
  const { settled } = await beginAnswer(desk);
  server.faults.push(reply(404, null), loginPage);
  server.cut();
  await passPause();
  server.turn.done();
  await passPause();
  await settled;
  await answer(1, 'done', 'Hello');
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
