/** A person whom the site names, in the tabs of a browser. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually, inBrowser, isDone, openAll } from './tabs_desk.js';

const session = (person, number = 0) => `signed_${9_000_000_000_000 + number}_${person.repeat(48)}_${'x'.repeat(43)}`;
const [NELL, NELL_AGAIN, OLGA] = [session('a'), session('a', 1), session('b')];

/** The server believes these tokens, and knows nothing of these people yet, unless `isKnown`. */
function believe({ browser, server }, sessions, { isKnown = false } = {}) {
  for (const id of Object.values(sessions)) server.sessions.add(id);
  browser.identify = async (token) => {
    if (!isKnown) Object.assign(server, { messages: [], turns: [], conversationId: null });
    return sessions[token];
  };
}

/** Answers when the test says so. */
function believeLater({ browser, server }, sessions) {
  const waiting = [];
  for (const id of Object.values(sessions)) server.sessions.add(id);
  browser.identify = (token) => new Promise((resolve, reject) => {
    waiting.push({ token, reject, answer: () => resolve(sessions[token]) });
  });
  return waiting;
}

const stored = ({ browser, server }) => browser.storage.getItem(`chatbubble:session:${server.endpoint}`);
const askers = ({ server }) => server.bodies.filter((body) => body?.message).map(({ sessionId }) => sessionId);
const others = ({ browser }, tabs) => tabs.filter((tab) => tab !== browser.leader);

test('a person who is named in one tab is that in all, and what was asked before is gone', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 3);
  tabs[0].shared.ask('nameless');
  await eventually(() => desk.server.turn);
  desk.server.turn.done();
  await eventually(() => tabs.every(isDone));
  believe(desk, { token: NELL });
  await others(desk, tabs)[0].shared.identify('token');
  await eventually(() => tabs.every((tab) => tab.texts().length === 0));
  assert.equal(stored(desk), NELL);
  others(desk, tabs)[1].shared.ask('one');
  await eventually(() => desk.server.turn);
  desk.server.turn.say('Hello');
  await eventually(() => tabs.every((tab) => tab.texts().join() === 'one,Hello'));
  assert.equal(askers(desk).at(-1), NELL);
}));

test('the same person again loses nothing of a running answer, and nothing is shown anew', inBrowser(async (desk) => {
  believe(desk, { token: NELL }, { isKnown: true });
  const tabs = await openAll(desk.open, 2);
  await tabs[0].shared.identify('token');
  tabs[0].shared.ask('one');
  await eventually(() => desk.server.turn);
  desk.server.turn.say('Hello');
  await eventually(() => tabs.every((tab) => tab.texts()[1] === 'Hello'));
  believe(desk, { fresh: NELL_AGAIN }, { isKnown: true });
  await tabs[1].shared.identify('fresh');
  assert.equal(stored(desk), NELL_AGAIN);
  desk.server.turn.say(' you');
  desk.server.turn.done();
  await eventually(() => tabs.every(isDone));
  for (const tab of tabs) {
    assert.deepEqual(tab.texts(), ['one', 'Hello you']);
    const shown = tab.history.map(({ messages }) => messages[1]).filter(Boolean);
    assert.equal(new Set(shown.map(({ revision }) => revision)).size, 1);
    shown.reduce((before, after) => (assert.ok(after.text.startsWith(before.text)), after));
  }
  assert.equal(desk.server.turns.length, 1);
  assert.ok(desk.server.requests.includes('GET /chat/stream1 e1.2'), 'it was read on from where it was');
}));

test('a question whose stream has no name yet is asked once, by the same person again', inBrowser(async (desk) => {
  believe(desk, { token: NELL, fresh: NELL_AGAIN }, { isKnown: true });
  const [tab] = await openAll(desk.open, 1);
  await tab.shared.identify('token');
  // The next request is that of the question.
  await eventually(() => desk.server.requests.length === 2);
  const asked = new Promise((resolve) => desk.server.faults.push(resolve));
  tab.shared.ask('one');
  await asked;
  await tab.shared.identify('fresh');
  await eventually(() => desk.server.turn);
  desk.server.turn.done();
  await eventually(() => isDone(tab));
  assert.deepEqual([tab.texts(), askers(desk)], [['one', ''], [NELL, NELL_AGAIN]]);
}));

test('what is asked before the server has read the token waits, and is asked by the person', inBrowser(async (desk) => {
  const [waiting, tabs] = [believeLater(desk, { token: NELL }), await openAll(desk.open, 2)];
  const named = others(desk, tabs)[0].shared.identify('token');
  others(desk, tabs)[0].shared.ask('one');
  await eventually(() => waiting[0]);
  desk.browser.leader.shared.ask('two');
  await eventually(() => tabs.every((tab) => tab.states().join() === 'queued,queued'));
  const sent = tabs.map((tab) => tab.history.length);
  assert.deepEqual([askers(desk), desk.browser.unsent().length], [[], 2]);
  waiting[0].answer();
  await named;
  await eventually(() => desk.server.turn);
  desk.server.turn.done();
  await eventually(() => desk.server.turns.length === 2);
  desk.server.turn.done();
  await eventually(() => tabs.every((tab) => tab.texts().length === 4 && isDone(tab)));
  assert.deepEqual([new Set(askers(desk)), desk.browser.unsent()], [new Set([NELL]), []]);
  // Nor were their bubbles ever gone.
  tabs.forEach((tab, at) => assert.ok(tab.history.slice(sent[at]).every(({ messages }) => messages.length >= 2)));
}, { isKnown: false }));

test('a tab that is named and asks before any tab leads asks as the person', inBrowser(async (desk) => {
  believe(desk, { token: NELL });
  const tabs = [desk.open(), desk.open()];
  for (const [at, tab] of tabs.entries()) {
    void tab.shared.identify('token');
    tab.shared.ask(`q${at}`);
  }
  await eventually(() => desk.server.turn);
  desk.server.turn.done();
  await eventually(() => desk.server.turns.length === 2);
  desk.server.turn.done();
  await eventually(() => tabs.every((tab) => tab.texts().length === 4 && isDone(tab)));
  assert.deepEqual(new Set(askers(desk)), new Set([NELL]));
}, { isKnown: false }));

test('a refused token is told to the tab that had it, and the chat goes on as it was', inBrowser(async (desk) => {
  const [waiting, tabs] = [believeLater(desk, {}), await openAll(desk.open, 2)];
  const [other] = others(desk, tabs);
  const refused = assert.rejects(other.shared.identify('wrong'), { code: 'IDENTITY_REFUSED', message: 'No.' });
  other.shared.ask('one');
  await eventually(() => waiting[0] && desk.browser.leader.states()[0] === 'queued');
  waiting[0].reject(Object.assign(new Error('No.'), { code: 'IDENTITY_REFUSED', retryable: false, delayMs: 0 }));
  await refused;
  await eventually(() => desk.server.turn);
  desk.server.turn.done();
  await eventually(() => tabs.every((tab) => tab.texts().length === 2 && isDone(tab)));
  assert.equal(stored(desk), 'session-of-a-visitor');
}));

for (const order of [[0, 1], [1, 0]]) {
  test(`of two tokens the last one counts, answered in the order ${order}`, inBrowser(async (desk) => {
    const waiting = believeLater(desk, { first: NELL, second: OLGA });
    const tabs = await openAll(desk.open, 2);
    const both = ['first', 'second'].map((token) => tabs[0].shared.identify(token));
    await eventually(() => waiting.length === 2);
    for (const at of order) {
      waiting[at].answer();
      await both[at];
    }
    assert.equal(stored(desk), OLGA);
  }));
}

test('a leading tab that dies while the server reads the token: the next one has it read', inBrowser(async (desk) => {
  const waiting = believeLater(desk, { token: NELL });
  const tabs = await openAll(desk.open, 2);
  const [other] = others(desk, tabs);
  const named = other.shared.identify('token');
  await eventually(() => waiting[0]);
  desk.browser.leader.crash();
  await eventually(() => waiting[1]);
  waiting[1].answer();
  await named;
  assert.equal(stored(desk), NELL);
  waiting[0].answer();
}));

test('who signs out meanwhile is not signed in', inBrowser(async (desk) => {
  const waiting = believeLater(desk, { token: NELL });
  const [tab] = await openAll(desk.open, 1);
  const named = tab.shared.identify('token');
  await eventually(() => waiting[0]);
  await tab.shared.drop();
  waiting[0].answer();
  await named;
  assert.equal(stored(desk), null);
}));

test('signing out empties the browser, its tabs and what was not sent', inBrowser(async (desk) => {
  believe(desk, { token: NELL });
  const tabs = await openAll(desk.open, 2);
  await tabs[0].shared.identify('token');
  tabs[0].shared.ask('one');
  await eventually(() => tabs.every((tab) => tab.states()[1]));
  tabs[1].shared.ask('two');
  await eventually(() => tabs.every((tab) => tab.texts().length === 3));
  await tabs[1].shared.drop();
  await eventually(() => tabs.every((tab) => tab.texts().length === 0));
  assert.deepEqual([Object.keys(desk.browser.storage), stored(desk)], [[], null]);
}));

test('what one person has not sent yet is never asked by another', inBrowser(async (desk) => {
  believe(desk, { nell: NELL, olga: OLGA });
  const [tab] = await openAll(desk.open, 1);
  await tab.shared.identify('nell');
  desk.browser.network.isOnline = false;
  tab.shared.ask('of Nell');
  await eventually(() => tab.states()[0] === 'queued');
  await tab.shared.identify('olga');
  assert.deepEqual([tab.texts(), desk.browser.unsent(), stored(desk)], [[], [], OLGA]);
}));
