import assert from 'node:assert/strict';
import { test } from 'node:test';

import { unreachable } from './stand_in.js';
import { eventually, inBrowser, isDone, openAll, WORDS } from './tabs_desk.js';

const posts = (server) => server.requests.filter((request) => request === 'POST /chat').length;

/** Asks in a tab and waits for the first words everywhere. */
async function begin({ server }, tabs, asker) {
  asker.shared.ask('one');
  await eventually(() => server.turn);
  server.turn.say('Hello');
  await eventually(() => tabs.every((tab) => tab.texts()[1] === 'Hello'));
}

test('an answer that is asked for in one tab is shown in all, over one connection', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 5);
  await begin(desk, tabs, tabs[3]);
  desk.server.turn.say(' you');
  desk.server.turn.done();
  await eventually(() => tabs.every(isDone));
  for (const tab of tabs) assert.deepEqual(tab.texts(), ['one', 'Hello you']);
  assert.deepEqual(desk.server.requests, ['GET /conversation', 'POST /chat']);
}));

test('a tab that comes late shows what the others show', inBrowser(async (desk) => {
  const [first] = await openAll(desk.open, 1);
  await begin(desk, [first], first);
  const late = desk.open();
  await eventually(() => late.texts()[1] === 'Hello');
  desk.server.turn.say(' you');
  await eventually(() => late.texts()[1] === 'Hello you');
  assert.equal(desk.server.requests.filter((request) => request.startsWith('GET')).length, 1);
}));

test('nothing is asked of the server, and no session is made, before the first question', inBrowser(async (desk) => {
  const tabs = [desk.open(), desk.open()];
  await eventually(() => desk.browser.leader);
  await eventually(() => tabs[1].isTold);
  assert.deepEqual([desk.server.requests, Object.keys(desk.browser.storage)], [[], []]);
  await begin(desk, tabs, tabs[1]);
}, { isKnown: false }));

for (let said = 0; said <= WORDS.length; said += 1) {
  test(`the leading tab dies after ${said} pieces: the next goes on from there`, inBrowser(async (desk) => {
    const tabs = await openAll(desk.open, 3);
    const leader = desk.browser.leader;
    const others = tabs.filter((tab) => tab !== leader);
    others[0].shared.ask('one');
    await eventually(() => desk.server.turn);
    for (const word of WORDS.slice(0, said)) desk.server.turn.say(word);
    const sofar = WORDS.slice(0, said).join('');
    await eventually(() => leader.texts()[1] === sofar);
    leader.crash();
    for (const word of WORDS.slice(said)) desk.server.turn.say(word);
    desk.server.turn.done();
    await eventually(() => others.every((tab) => tab.texts().length === 2 && isDone(tab)));
    for (const tab of others) {
      assert.deepEqual(tab.texts(), ['one', WORDS.join('')]);
      for (const { messages } of tab.history) assert.ok(WORDS.join('').startsWith(messages[1]?.text ?? ''));
      assert.equal(new Set(tab.history.map(({ messages }) => messages[1]?.revision ?? 0)).size, 1);
    }
    assert.equal(desk.server.turns.length, 1);
  }));
}

test('the next tab resumes after what it has, by the cursor', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 2);
  await begin(desk, tabs, tabs[0]);
  desk.browser.leader.crash();
  await eventually(() => desk.server.requests.includes('GET /chat/stream1 e1.2'));
}));

test('a leading tab that dies before the question arrived: the next asks it, once', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 2);
  const leader = desk.browser.leader;
  const [other] = tabs.filter((tab) => tab !== leader);
  desk.server.faults.push(() => leader.crash());
  other.shared.ask('one');
  await eventually(() => desk.server.turn);
  desk.server.turn.done();
  await eventually(() => isDone(other));
  assert.deepEqual([other.texts(), desk.server.turns.length, posts(desk.server)], [['one', ''], 1, 2]);
}));

test('a question that its tab and the leading tab took to the grave is asked by the next', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 3);
  const leader = desk.browser.leader;
  const [asker, heir] = tabs.filter((tab) => tab !== leader);
  asker.shared.ask('one');
  leader.crash();
  asker.crash();
  await eventually(() => desk.server.turn);
  desk.server.turn.say('Hello');
  await eventually(() => heir.texts()[1] === 'Hello');
}));

test('Stop in any tab stops the answer', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 3);
  await begin(desk, tabs, tabs[0]);
  tabs.find((tab) => tab !== desk.browser.leader).shared.stop();
  await eventually(() => tabs.every((tab) => tab.states()[1] === 'aborted' && !tab.store.get().turn));
  assert.equal(desk.server.turn.end.finishReason, 'aborted');
}));

test('a Stop that the leading tab took to the grave is done by the next', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 2);
  await begin(desk, tabs, tabs[0]);
  const leader = desk.browser.leader;
  tabs.find((tab) => tab !== leader).shared.stop();
  leader.crash();
  await eventually(() => desk.server.turn.end?.finishReason === 'aborted');
}));

test('what one tab erases is gone in all', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 3);
  await begin(desk, tabs, tabs[0]);
  await tabs.find((tab) => tab !== desk.browser.leader).shared.erase();
  await eventually(() => tabs.every((tab) => tab.texts().length === 0));
  assert.deepEqual(Object.keys(desk.browser.storage), []);
}));

test('what the server does not erase stays, and the tab that asked is told', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 2);
  await begin(desk, tabs, tabs[0]);
  desk.server.faults.push(unreachable);
  await assert.rejects(
    tabs.find((tab) => tab !== desk.browser.leader).shared.erase(),
    { code: 'CONNECTION_LOST', retryable: true },
  );
  for (const tab of tabs) assert.equal(tab.texts().length, 2);
}));

test('a failed answer is asked for again from any tab', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 2);
  await begin(desk, tabs, tabs[0]);
  desk.server.turn.fail('UPSTREAM_BUSY');
  await eventually(() => tabs.every((tab) => tab.states()[1] === 'failed'));
  const other = tabs.find((tab) => tab !== desk.browser.leader);
  other.shared.retry(other.store.get().messages[1].id);
  await eventually(() => desk.server.turns.length === 2);
  desk.server.turn.say('Again');
  desk.server.turn.done();
  await eventually(() => tabs.every((tab) => isDone(tab) && tab.texts().at(-1) === 'Again'));
}));

test('a new visitor begins in all tabs at once', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 2);
  await begin(desk, tabs, tabs[0]);
  await tabs[0].shared.drop();
  await eventually(() => tabs.every((tab) => tab.texts().length === 0));
  assert.deepEqual(Object.keys(desk.browser.storage), []);
}));

test('offline, a question waits in all tabs; it is sent once when the line is back', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 3);
  desk.browser.network.isOnline = false;
  tabs[1].shared.ask('one');
  tabs[2].shared.ask('two');
  await eventually(() => tabs.every((tab) => tab.states().join() === 'queued,queued'));
  assert.equal(desk.browser.leader.store.get().wait.code, 'OFFLINE');
  assert.deepEqual([posts(desk.server), desk.browser.unsent().length], [0, 2]);
  desk.browser.network.isOnline = true;
  for (const tab of tabs) tab.shared.resumeNow();
  await eventually(() => tabs.every((tab) => isDone(tab) && tab.texts().length === 4));
  assert.deepEqual([desk.server.turns.length, posts(desk.server), desk.browser.unsent()], [2, 2, []]);
}, { server: { answer: (turn) => turn.done() } }));

test('an unsent question outlives all tabs', inBrowser(async (desk) => {
  desk.browser.network.isOnline = false;
  const [tab] = [desk.open()];
  tab.shared.ask('one');
  await eventually(() => tab.states()[0] === 'queued');
  tab.crash();
  desk.browser.network.isOnline = true;
  const tabs = [desk.open(), desk.open()];
  await eventually(() => tabs.every((next) => next.texts().length === 2 && isDone(next)));
  assert.deepEqual([posts(desk.server), desk.browser.unsent()], [1, []]);
}, { server: { answer: (turn) => turn.done() } }));

test('a question whose tab died before it heard that it had arrived is not asked again', inBrowser(async (desk) => {
  const first = desk.open();
  desk.server.faults.push((...request) => request[2](), (request, response, proceed) => {
    first.crash();
    proceed();
  });
  await eventually(() => first.isTold);
  first.shared.ask('one');
  await eventually(() => desk.server.turn);
  desk.server.turn.done();
  assert.equal(desk.browser.unsent().length, 1);
  const next = desk.open();
  await eventually(() => next.texts().length === 2 && isDone(next));
  await eventually(() => desk.browser.unsent().length === 0);
  assert.deepEqual([desk.server.turns.length, posts(desk.server)], [1, 1]);
}));

test('a question is taken back from any tab, and never sent', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 3);
  desk.browser.network.isOnline = false;
  tabs[1].shared.ask('one');
  await eventually(() => tabs.every((tab) => tab.states()[0] === 'queued'));
  tabs[2].shared.takeBack(tabs[2].store.get().messages[0].requestId);
  await eventually(() => tabs.every((tab) => tab.texts().length === 0 && tab.store.get().connection === 'idle'));
  desk.browser.network.isOnline = true;
  for (const tab of tabs) tab.shared.resumeNow();
  await eventually(() => desk.browser.unsent().length === 0);
  assert.equal(posts(desk.server), 0);
}));

test('a question that waits for the answer above it is taken back', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 2);
  await begin(desk, tabs, tabs[0]);
  tabs[1].shared.ask('two');
  await eventually(() => tabs.every((tab) => tab.texts().length === 3));
  tabs[0].shared.takeBack(tabs[0].store.get().messages[2].requestId);
  desk.server.turn.done();
  await eventually(() => tabs.every((tab) => isDone(tab) && tab.texts().length === 2));
  assert.equal(desk.server.turns.length, 1);
}));

test('a tab that hangs is robbed of the lead by one that waits', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 2);
  const leader = desk.browser.leader;
  const [other] = tabs.filter((tab) => tab !== leader);
  leader.isHung = true;
  other.shared.ask('one');
  for (let tick = 0; tick < 3; tick += 1) desk.browser.clock.advance(1000);
  await eventually(() => desk.browser.leader === other && desk.server.turn);
  leader.isHung = false;
  desk.server.turn.say('Hello');
  await eventually(() => tabs.every((tab) => tab.texts()[1] === 'Hello'));
  desk.server.turn.done();
  await eventually(() => tabs.every(isDone));
  assert.equal(desk.server.turns.length, 1);
}));

test('a tab that answers keeps the lead, however long the model thinks', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 2);
  await begin(desk, tabs, tabs[0]);
  const leader = desk.browser.leader;
  for (let tick = 0; tick < 20; tick += 1) {
    desk.browser.clock.advance(1000);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.equal(desk.browser.leader, leader);
}));

test('a page that is put away lets another lead, and shows the rest when it is back', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 2);
  await begin(desk, tabs, tabs[0]);
  const away = desk.browser.leader;
  const [other] = tabs.filter((tab) => tab !== away);
  away.shared.leave();
  desk.server.turn.say(' you');
  await eventually(() => other.texts()[1] === 'Hello you');
  away.shared.join();
  desk.server.turn.done();
  await eventually(() => tabs.every(isDone));
  assert.deepEqual(away.texts(), ['one', 'Hello you']);
}));

test('what is seen in one tab is seen in all', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 3);
  tabs[1].shared.see();
  await eventually(() => tabs.map(({ seen }) => seen).join() === '1,0,1');
}));

test('without locks each tab works alone', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 2);
  tabs[0].shared.ask('one');
  await eventually(() => isDone(tabs[0]) && tabs[0].texts().length === 2);
  assert.equal(tabs[1].texts().length, 0);
}, { hasLocks: false, server: { answer: (turn) => turn.done() } }));

const refuse = () => {
  throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
};
test('with storage blocked or full everything works as long as a tab lives', inBrowser(async (desk) => {
  const tabs = [desk.open(), desk.open()];
  await eventually(() => tabs[1].isTold);
  desk.browser.network.isOnline = false;
  tabs[1].shared.ask('one');
  await eventually(() => tabs.every((tab) => tab.states()[0] === 'queued'));
  desk.browser.network.isOnline = true;
  for (const tab of tabs) tab.shared.resumeNow();
  await eventually(() => desk.server.turn);
  desk.server.turn.say('Hello');
  await eventually(() => tabs.every((tab) => tab.texts()[1] === 'Hello'));
  tabs.find((tab) => tab === desk.browser.leader).crash();
  desk.server.turn.done();
  await eventually(() => tabs.filter((tab) => !tab.isDead).every((tab) => isDone(tab)));
}, { isKnown: false, storage: Object.create({ getItem: refuse, setItem: refuse, removeItem: refuse }) }));
