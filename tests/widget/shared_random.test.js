import assert from 'node:assert/strict';
import { test } from 'node:test';

import { seeded } from './seeds.js';
import { eventually, inBrowser, isDone, openAll, WORDS } from './tabs_desk.js';

for (let seed = 1; seed <= 30; seed += 1) {
  const random = seeded(seed);
  const later = (run) => setTimeout(run, Math.floor(random() * 6));
  test(`tabs that come, ask, stop and die at random lose and double nothing (seed ${seed})`, inBrowser(async (desk) => {
    const tabs = await openAll(desk.open, 3);
    const asked = [];
    // A page that the browser has put away asks nothing until it is back.
    const away = new Set();
    for (let step = 0; step < 25; step += 1) {
      const alive = tabs.filter((tab) => !tab.isDead);
      const tab = alive[Math.floor(random() * alive.length)];
      const dice = random();
      if (dice < 0.35) {
        if (!away.has(tab)) {
          asked.push(`q${step}`);
          tab.shared.ask(`q${step}`);
        }
      } else if (dice < 0.5 && alive.length > 1) tab.crash();
      else if (dice < 0.65) tabs.push(desk.open());
      else if (dice < 0.75) {
        tab.shared.leave();
        away.add(tab);
        setTimeout(() => {
          tab.shared.join();
          away.delete(tab);
        }, random() * 20);
      }
      await new Promise((resolve) => setTimeout(resolve, random() * 12));
    }
    const alive = () => tabs.filter((tab) => !tab.isDead);
    const isEqual = (tab) => tab.texts().length === 2 * asked.length && isDone(tab);
    const tell = () => JSON.stringify([asked, ...alive().map((tab) => [tab.texts(), tab.states()])]);
    await eventually(() => alive().every(isEqual), tell);
    for (const tab of alive()) {
      for (const question of asked) {
        const at = tab.texts().indexOf(question);
        assert.equal(tab.texts()[at + 1], `to ${question}: ${WORDS.join('')}`);
      }
    }
    assert.deepEqual(desk.server.turns.map(({ question }) => question).sort(), [...asked].sort());
    assert.deepEqual(desk.browser.unsent(), []);
  }, { later, server: { answer: dictate } }));
}

/** Says it a word at a time. */
async function dictate(turn) {
  turn.say(`to ${turn.question}: `);
  for (const word of WORDS) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    turn.say(word);
  }
  turn.done();
}
