import assert from 'node:assert/strict';
import { test } from 'node:test';

import { atDesk, createDesk, eventually } from './desk.js';
import { loginPage, reply } from './stand_in.js';

const ended = { server: { answer: (turn) => turn.done() } };
const error = (code, rest = {}) => ({ error: { code, message: `${code}!`, retryable: true, ...rest } });
const outline = ({ messages }) => messages.map(({ id, state }) => `${id} ${state}`);

for (const [status, code] of [
  [400, 'BAD_REQUEST'],
  [401, 'SESSION_MISSING'],
  [403, 'ORIGIN_REFUSED'],
  [404, 'NOT_FOUND'],
  [409, 'REQUEST_MISMATCH'],
  [413, 'PAYLOAD_TOO_LARGE'],
  [415, 'UNSUPPORTED_MEDIA_TYPE'],
  [503, 'SERVER_UNPATCHED'],
]) {
  test(`${status} ${code} fails the answer and is not tried again`, atDesk(async (desk) => {
    desk.server.faults.push(reply(status, error(code, { retryable: false })));
    await desk.client.ask('one');
    assert.deepEqual(desk.bubble('a-r1').error, { code, message: `${code}!`, retryable: false });
    assert.equal(desk.server.requests.length, 1);
    assert.equal(desk.store.get().connection, 'idle');
  }, ended));
}

for (const status of [401, 403]) {
  test(`${status} without a reason of ours fails the answer, too`, atDesk(async (desk) => {
    desk.server.faults.push(reply(status, null));
    await desk.client.ask('one');
    assert.deepEqual(desk.bubble('a-r1').error, { code: 'REFUSED', message: '', retryable: false });
    assert.equal(desk.server.requests.length, 1);
  }, ended));
}

for (const [status, body, code] of [
  [429, error('RATE_LIMITED'), 'RATE_LIMITED'],
  [503, error('OVERLOADED'), 'OVERLOADED'],
  [503, error('SHUTTING_DOWN'), 'SHUTTING_DOWN'],
  [500, error('STREAM_ERROR'), 'STREAM_ERROR'],
  [502, null, 'CONNECTION_LOST'],
  [504, null, 'CONNECTION_LOST'],
  [404, null, 'CONNECTION_LOST'],
]) {
  const cause = body?.error.code ?? 'no body';
  test(`${status} with ${cause} keeps the question, and it is asked again`, atDesk(async (desk) => {
    desk.server.faults.push(reply(status, body));
    const settled = desk.client.ask('one');
    const wait = await desk.passPause();
    assert.equal(wait.code, code);
    await settled;
    await desk.answer(1, 'done');
    assert.deepEqual(desk.server.bodies.map(({ requestId }) => requestId), ['r1', 'r1']);
  }, ended));
}

/** How long a client waits after a refusal with that `Retry-After`, less its own jitter of 500 ms. */
async function waitAfter(desk, status, retryAfter) {
  desk.server.faults.push(reply(status, error('RATE_LIMITED'), { 'Retry-After': retryAfter }));
  void desk.client.ask('one');
  const { wait } = await desk.until((state) => state.wait);
  return wait.until - desk.clock.now() - 500;
}

const DATE = 'Fri, 31 Dec 2027 23:59:59 GMT';

for (const [retryAfter, ms] of [['7', 7000], ['0', 0], ['3600', 60_000], [DATE, 0], ['-5', 0]]) {
  test(`Retry-After: ${retryAfter} is a wait of ${ms} ms`, atDesk(async (desk) => {
    assert.equal(await waitAfter(desk, 429, retryAfter), ms);
  }));
}

test('a wait that the server asked for is not cut short by resumeNow', atDesk(async (desk) => {
  await waitAfter(desk, 429, '7');
  desk.client.resumeNow();
  await new Promise(setImmediate);
  assert.equal(desk.server.requests.length, 1);
  assert.notEqual(desk.store.get().wait, null);
  await desk.passPause();
  await desk.answer(1, 'done');
}, ended));

test('a login page instead of the stream is no answer: the question is asked until one comes', atDesk(async (desk) => {
  desk.server.faults.push(loginPage, loginPage);
  const settled = desk.client.ask('one');
  assert.equal((await desk.passPause()).code, 'CONNECTION_LOST');
  await desk.passPause();
  await settled;
  await desk.answer(1, 'done');
}, ended));

for (const type of ['text/plain', 'text/event-stream-not', 'application/json', '']) {
  test(`200 as "${type}" is not a stream`, atDesk(async (desk) => {
    desk.server.faults.push((_, response) => {
      response.writeHead(200, type ? { 'Content-Type': type } : {});
      response.end('event: done\ndata: {"fullText":"fake"}\n\n');
    });
    const settled = desk.client.ask('one');
    await desk.passPause();
    await settled;
    await desk.answer(1, 'done', '');
  }, ended));
}

for (const type of ['text/event-stream', 'Text/Event-Stream ; charset=x', 'text/event-stream;']) {
  test(`200 as "${type}" is a stream`, atDesk(async (desk) => {
    desk.server.faults.push((_, response) => {
      response.writeHead(200, { 'Content-Type': type });
      response.end('event: done\ndata: {"fullText":"Hi"}\n\n');
    });
    await desk.client.ask('one');
    assert.equal(desk.bubble('a-r1').text, 'Hi');
  }));
}

test('a redirect is not followed with the session id', atDesk(async (desk) => {
  desk.server.faults.push((_, response) => response.writeHead(307, { Location: '/elsewhere' }).end());
  void desk.client.ask('one');
  await desk.until((state) => state.wait);
  assert.deepEqual(desk.server.requests, ['POST /chat']);
}));

test('while another tab is answered, its answer is shown and the question waits', async () => {
  await atDesk(async ({ server, client, until, answer, store }) => {
    const other = createDesk(server.endpoint, { newId: () => 'other' });
    void other.client.ask('theirs');
    await other.until((state) => state.turn?.streamId);
    server.turn.say('Hel');

    const settled = client.ask('ours');
    await until((state) => state.messages[1]?.text === 'Hel');
    assert.deepEqual(outline(store.get()), ['q-other done', 'a-other streaming', 'q-r1 queued']);
    assert.equal(store.get().queued, 1);

    server.turn.say('lo');
    server.turn.done();
    await eventually(() => server.turns.length === 2);
    server.turn.say('Ours');
    server.turn.done();
    await settled;
    await answer(1, 'done', 'Ours');
    assert.deepEqual(outline(store.get()), ['q-other done', 'a-other done', 'q-r1 done', 'a-r1 done']);
    const resume = 'GET /chat/stream1 e1.0';
    assert.deepEqual(server.requests, ['POST /chat', 'POST /chat', 'GET /conversation', resume, 'POST /chat']);
    other.client.destroy();
  })();
});

test('a running answer that cannot be found is waited for', atDesk(async (desk) => {
  desk.server.faults.push(reply(409, error('TURN_RUNNING', { streamId: 'gone' })));
  const settled = desk.client.ask('one');
  assert.equal((await desk.passPause()).code, 'TURN_RUNNING');
  await settled;
  await desk.answer(1, 'done');
  assert.deepEqual(desk.server.requests, ['POST /chat', 'GET /conversation', 'POST /chat']);
}, ended));

test('Stop ends the answer of another tab that we follow', async () => {
  await atDesk(async ({ server, client, until }) => {
    const other = createDesk(server.endpoint, { newId: () => 'other' });
    const theirs = other.client.ask('theirs');
    await other.until((state) => state.turn?.streamId);
    void client.restore();
    await until((state) => state.turn?.streamId);
    client.stop();
    await theirs;
    assert.equal(other.bubble('a-other').state, 'aborted');
    other.client.destroy();
  })();
});
