/** What becomes of the session id of before once a person is named: kept until they have said so, and no longer. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually, inBrowser, openAll } from './tabs_desk.js';
import { SESSION_ID } from './stand_in.js';

const session = (person, number = 0) => `signed_${9_000_000_000_000 + number}_${person.repeat(48)}_${'x'.repeat(43)}`;
const [NELL, NELL_AGAIN, OLGA] = [session('a'), session('a', 1), session('b')];

/** The server believes these tokens. */
function believe({ browser, server }, sessions) {
  for (const id of Object.values(sessions)) server.sessions.add(id);
  browser.identify = async (token) => sessions[token];
}

const earlier = ({ browser, server }) => browser.storage.getItem(`chatbubble:earlier:${server.endpoint}`);

test('who a person was before is kept for as long as they are that person', inBrowser(async (desk) => {
  believe(desk, { token: NELL, fresh: NELL_AGAIN });
  const tabs = await openAll(desk.open, 2);
  assert.equal(earlier(desk), null);
  for (const given of ['token', 'fresh']) {
    await tabs[1].shared.identify(given);
    assert.equal(earlier(desk), SESSION_ID);
  }
  // On the next page too.
  await openAll(desk.open, 1);
  assert.equal(earlier(desk), SESSION_ID);
}));

test('of somebody who has never asked anything nothing is kept', inBrowser(async (desk) => {
  believe(desk, { token: NELL });
  const [tab] = await openAll(desk.open, 1);
  await tab.shared.identify('token');
  assert.equal(earlier(desk), null);
}, { isKnown: false }));

test('nobody who comes after the person is asked', inBrowser(async (desk) => {
  believe(desk, { nell: NELL, olga: OLGA });
  const [tab] = await openAll(desk.open, 1);
  await tab.shared.identify('nell');
  await tab.shared.identify('olga');
  assert.equal(earlier(desk), null);
}));

test('what was let go of stays so', inBrowser(async (desk) => {
  believe(desk, { token: NELL, fresh: NELL_AGAIN });
  const [tab] = await openAll(desk.open, 1);
  await tab.shared.identify('token');
  tab.session.letGo();
  await tab.shared.identify('fresh');
  assert.equal(earlier(desk), null);
}));

test('signing out in any tab lets go of it, and says so to whoever looks at the state', inBrowser(async (desk) => {
  believe(desk, { token: NELL });
  const tabs = await openAll(desk.open, 2);
  await tabs[0].shared.identify('token');
  const seen = tabs.map((tab) => tab.history.length);
  for (const tab of tabs) tab.store.subscribe(() => (tab.sawAtLast = earlier(desk)));
  await tabs[1].shared.drop();
  await eventually(() => tabs.every((tab, at) => tab.history.length > seen[at]));
  assert.deepEqual([earlier(desk), ...tabs.map((tab) => tab.sawAtLast)], [null, null, null]);
}));

test('a browser that comes back without a name lets go of it', inBrowser(async (desk) => {
  desk.browser.storage.setItem(`chatbubble:earlier:${desk.server.endpoint}`, SESSION_ID);
  const over = `signed_1_${'a'.repeat(48)}_${'x'.repeat(43)}`;
  desk.browser.storage.setItem(`chatbubble:session:${desk.server.endpoint}`, over);
  await openAll(desk.open, 1);
  assert.equal(earlier(desk), null);
}));

test('what is no session id is no offer', inBrowser(async (desk) => {
  const [tab] = await openAll(desk.open, 1);
  for (const odd of ['', 'short', 'with blanks in it all', 'x'.repeat(129), 'née-née-née-née']) {
    tab.session.setAside(odd);
    assert.equal(tab.session.earlier(), null);
  }
}));

test('any tab can have the conversation read anew, and all show it', inBrowser(async (desk) => {
  const tabs = await openAll(desk.open, 2);
  const told = { messageId: 'm1', author: 'visitor', content: 'Added', requestId: 'r1', createdAt: 1 };
  Object.assign(desk.server, { messages: [told], conversationId: 'c1' });
  for (const tab of tabs) {
    const asked = desk.server.requests.length;
    await tab.shared.reload();
    assert.deepEqual(desk.server.requests.slice(asked).map((line) => line.trim()), ['GET /conversation']);
  }
  await eventually(() => tabs.every((tab) => tab.texts().join() === 'Added'));
}));
