import assert from 'node:assert/strict';
import { test } from 'node:test';

import { atDesk, createDesk, eventually } from './desk.js';
import { lostReply, unreachable } from './stand_in.js';

const outline = ({ messages }) => messages.map(({ id, state }) => `${id} ${state}`);

test('a question gets its streamed answer', atDesk(async ({ client, server, store, answer }) => {
  const settled = client.ask('  Hello?  ');
  await eventually(() => server.turn);
  await answer(1, 'sending');
  server.turn.say('Hel');
  await answer(1, 'streaming', 'Hel');
  server.turn.say('lo');
  server.turn.done();
  await settled;
  assert.deepEqual(outline(store.get()), ['q-r1 done', 'a-r1 done']);
  const { text, finishReason, messageId } = store.get().messages[1];
  assert.deepEqual([text, finishReason, messageId], ['Hello', 'stop', 'answer1']);
  assert.deepEqual([store.get().connection, store.get().turn], ['idle', null]);
}));

test('a question is sent once, with everything that belongs to it', atDesk(async ({ client, server }) => {
  const settled = client.ask('Hello?');
  await eventually(() => server.turn);
  server.turn.done();
  await settled;
  assert.deepEqual(server.requests, ['POST /chat']);
  assert.deepEqual(server.bodies, [{
    message: 'Hello?',
    sessionId: 'session-of-a-visitor',
    requestId: 'r1',
    page: { url: 'https://shop.example/', title: 'Shop' },
    locale: 'en',
  }]);
}, { desk: { page: () => ({ url: 'https://shop.example/', title: 'Shop' }), locale: 'en' } }));

test('the connection is shown: connecting, streaming, idle', atDesk(async ({ client, history, answer }) => {
  await client.ask('Hello?');
  await answer(1, 'done');
  const seen = history.map(({ connection }) => connection).filter((name, at, all) => name !== all[at - 1]);
  assert.deepEqual(seen, ['idle', 'connecting', 'streaming', 'idle']);
}, { server: { answer: (turn) => turn.done() } }));

test('blank text is no question', atDesk(async ({ client, server, store }) => {
  await client.ask(' \n ');
  assert.deepEqual([store.get().messages, server.requests], [[], []]);
}));

test('events that come together are one change of the state', atDesk(async ({ client, server, history, until }) => {
  const settled = client.ask('Hello?');
  await until((state) => state.turn?.streamId);
  const before = history.length;
  for (const word of ['a', 'b', 'c', 'd']) server.turn.say(word);
  await until((state) => state.messages[1].text === 'abcd');
  assert.ok(history.length - before < 4, `${history.length - before} changes`);
  server.turn.done();
  await settled;
}));

test('an error event fails the answer, and Retry asks again under a new request', atDesk(async (desk) => {
  const { client, server, answer, store } = desk;
  const settled = client.ask('Why?');
  await eventually(() => server.turn);
  server.turn.say('Be');
  server.turn.fail('UPSTREAM_TIMEOUT', 'Too slow.');
  await settled;
  const failed = await answer(1, 'failed', 'Be');
  assert.deepEqual(failed.error, { code: 'UPSTREAM_TIMEOUT', message: 'Too slow.', retryable: true });

  const again = client.retry(failed.id);
  await eventually(() => server.turns.length === 2);
  server.turn.say('Because.');
  server.turn.done();
  await again;
  assert.deepEqual(outline(store.get()), ['q-r2 done', 'a-r2 done']);
  const sent = server.bodies.map(({ requestId, message, replaces }) => [requestId, message, replaces]);
  assert.deepEqual(sent, [['r1', 'Why?', undefined], ['r2', 'Why?', 'r1']]);
}));

test('Retry on what is not there is harmless', atDesk(async ({ client, server }) => {
  await client.retry('nothing');
  assert.deepEqual(server.requests, []);
}));

test('questions asked meanwhile wait in order, one at a time', atDesk(async ({ client, server, store, until }) => {
  const settled = ['one', 'two', 'three'].map((text) => client.ask(text));
  await until((state) => state.turn?.streamId === 'stream1');
  assert.deepEqual([store.get().queued, server.requests.length], [2, 1]);
  server.turn.done();
  await until((state) => state.turn?.streamId === 'stream2');
  assert.equal(store.get().queued, 1);
  server.turn.done();
  await until((state) => state.turn?.streamId === 'stream3');
  server.turn.done();
  await Promise.all(settled);
  assert.deepEqual(server.bodies.map(({ message }) => message), ['one', 'two', 'three']);
  assert.equal(store.get().queued, 0);
}));

test('between two questions the connection does not look idle', atDesk(async ({ client, history }) => {
  await Promise.all([client.ask('one'), client.ask('two')]);
  const seen = history.map(({ connection }) => connection);
  assert.ok(!seen.slice(seen.indexOf('connecting'), -1).includes('idle'), String(seen));
}, { server: { answer: (turn) => turn.done() } }));

test('a failed question does not hold up the next', atDesk(async ({ client, answer }) => {
  await Promise.all([client.ask('one'), client.ask('two')]);
  await answer(1, 'failed');
  await answer(2, 'done');
}, { server: { answer: (turn) => (turn.question === 'one' ? turn.fail('UPSTREAM_BUSY') : turn.done()) } }));

test('erase deletes on the server, then here, and the running answer with it', atDesk(async (desk) => {
  const { client, server, store, until } = desk;
  const settled = [client.ask('one'), client.ask('two')];
  await until((state) => state.turn?.streamId);
  server.turn.say('Hello');
  await client.erase();
  assert.deepEqual([store.get().messages, store.get().turn, store.get().queued], [[], null, 0]);
  await Promise.all(settled);
  assert.deepEqual(store.get().messages, []);
  assert.equal(store.get().connection, 'idle');
  assert.ok(server.requests.includes('DELETE /conversation'));
}));

test('an erase that the server did not confirm rejects and changes nothing', atDesk(async (desk) => {
  const { client, server, store } = desk;
  await client.ask('one');
  const before = store.get();
  server.faults.push(unreachable);
  await assert.rejects(client.erase(), { code: 'CONNECTION_LOST', retryable: true });
  server.faults.push((_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>'));
  await assert.rejects(client.erase(), { code: 'CONNECTION_LOST' });
  server.faults.push((_, response) => {
    response.writeHead(503, { 'Content-Type': 'application/json' });
    response.end('{"error":{"code":"STORE_UNAVAILABLE","message":"Later.","retryable":true}}');
  });
  await assert.rejects(client.erase(), { code: 'STORE_UNAVAILABLE', message: 'Later.', retryable: true });
  assert.equal(store.get(), before);
}, { server: { answer: (turn) => turn.done() } }));

test('after erase the next question starts afresh', atDesk(async ({ client, store }) => {
  await client.ask('one');
  await client.erase();
  await client.ask('two');
  assert.deepEqual(outline(store.get()), ['q-r2 done', 'a-r2 done']);
}, { server: { answer: (turn) => turn.done() } }));

test('restore brings the conversation back', atDesk(async ({ client, server, store }) => {
  server.conversationId = 'c1';
  server.messages.push(
    { messageId: 'm1', author: 'visitor', content: 'Hi?', requestId: 'old', createdAt: 1 },
    { messageId: 'm2', author: 'assistant', content: 'Hi!', requestId: 'old', finishReason: 'stop', createdAt: 2 },
  );
  await client.restore();
  assert.deepEqual([store.get().conversationId, ...outline(store.get())], ['c1', 'q-old done', 'a-old done']);
  assert.deepEqual(server.requests, ['GET /conversation']);
}));

test('restore of nothing is nothing', atDesk(async ({ client, store, connection }) => {
  await client.restore();
  assert.deepEqual(store.get().messages, []);
  await connection('idle');
}));

test('a running answer comes back by itself and goes on', async () => {
  await atDesk(async ({ server, client, until }) => {
    void client.ask('one');
    await until((state) => state.turn?.streamId);
    server.turn.say('Hel');
    await until((state) => state.messages[1].text === 'Hel');
    const other = createDesk(server.endpoint);
    await other.client.restore();
    await other.answer(1, 'streaming', 'Hel');
    server.turn.say('lo');
    server.turn.done();
    const { text } = await other.answer(1, 'done');
    assert.equal(text, 'Hello');
    assert.deepEqual(outline(other.store.get()), ['q-r1 done', 'a-r1 done']);
    assert.equal(server.requests.at(-1), 'GET /chat/stream1 e1.0');
    other.client.destroy();
  })();
});

test('a restore that cannot reach the server keeps trying', atDesk(async (desk) => {
  const { client, server, store, passPause, connection } = desk;
  server.conversationId = 'c1';
  server.faults.push(unreachable, unreachable);
  const told = client.restore();
  await passPause();
  await passPause();
  await told;
  assert.equal(store.get().conversationId, 'c1');
  await connection('idle');
}));

test('a restore that is refused leaves an empty page that works', atDesk(async ({ client, server, store }) => {
  server.faults.push((_, response) => response.writeHead(403).end());
  await client.restore();
  assert.deepEqual(store.get().messages, []);
  await client.ask('one');
  assert.deepEqual(outline(store.get()), ['q-r1 done', 'a-r1 done']);
}, { server: { answer: (turn) => turn.done() } }));

test('a question asked while the conversation is being read comes after it', atDesk(async (desk) => {
  const { client, server, store } = desk;
  server.conversationId = 'c1';
  server.messages.push({ messageId: 'm1', author: 'visitor', content: 'Hi?', requestId: 'old', createdAt: 1 });
  await Promise.all([client.restore(), client.ask('one')]);
  assert.deepEqual(outline(store.get()), ['q-old done', 'q-r1 done', 'a-r1 done']);
  assert.deepEqual(server.requests, ['GET /conversation', 'POST /chat']);
}, { server: { answer: (turn) => turn.done() } }));

test('two restores at once show everything once', atDesk(async ({ client, server, store, until }) => {
  void client.ask('one');
  await until((state) => state.turn?.streamId);
  server.turn.say('Hello');
  server.turn.done();
  await Promise.all([client.restore(), client.restore()]);
  assert.deepEqual(outline(store.get()), ['q-r1 done', 'a-r1 done']);
}));

test('a question whose reply was lost is not asked twice', atDesk(async ({ client, server, passPause, answer }) => {
  server.faults.push(lostReply);
  const settled = client.ask('one');
  await passPause();
  await eventually(() => server.requests.length === 2);
  assert.equal(server.turns.length, 1);
  server.turn.say('Hello');
  server.turn.done();
  await settled;
  await answer(1, 'done', 'Hello');
  assert.deepEqual(server.bodies.map(({ requestId }) => requestId), ['r1', 'r1']);
}));

test('destroy ends every request and timer, and the state stays as it was', atDesk(async (desk) => {
  const { client, server, store, clock, until } = desk;
  const settled = [client.ask('one'), client.ask('two'), client.restore()];
  await until((state) => state.turn?.streamId);
  const before = store.get();
  client.destroy();
  await Promise.all(settled);
  await eventually(() => server.turn.readers.size === 0);
  server.turn.say('late');
  assert.deepEqual(clock.waiting, []);
  assert.equal(store.get(), before);
  await client.ask('three');
  client.stop();
  client.resumeNow();
  assert.equal(store.get(), before);
  assert.equal(server.requests.length, 1);
}));

test('destroy while waiting for the next attempt', atDesk(async ({ client, server, clock, until }) => {
  server.faults.push(unreachable);
  const settled = client.ask('one');
  await until((state) => state.wait);
  client.destroy();
  await settled;
  assert.deepEqual(clock.waiting, []);
}));

test('a fault in our own code ends the answer and is not hidden', async () => {
  const broken = () => {
    throw new RangeError('a bug');
  };
  await atDesk(async ({ client, store }) => {
    await assert.rejects(client.ask('one'), { name: 'RangeError', message: 'a bug' });
    assert.equal(store.get().messages[1].error.code, 'STREAM_ERROR');
    assert.deepEqual([store.get().turn, store.get().connection], [null, 'idle']);
  }, { desk: { fetch: broken } })();
});
