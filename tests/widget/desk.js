/** A client at a stand-in server, on a clock that the test moves, with waits for what should come. */

import assert from 'node:assert/strict';

import { createClient } from '../../widget/src/client.js';
import { initialState } from '../../widget/src/conversation.js';
import { createDetour } from '../../widget/src/detour.js';
import { createStore } from '../../widget/src/store.js';
import { createClock } from './clocks.js';
import { SESSION_ID, startStandIn } from './stand_in.js';

const PATIENCE_MS = 5000;

/**
 * A client for `endpoint`; `history` is every state it went through. In a hurry, the pauses between
 * attempts take no time. With a `memory` of lines that hold back, it goes round them.
 */
export function createDesk(endpoint, { clock = createClock(), isHurried = false, memory, ...rest } = {}) {
  const store = createStore(initialState, assert.fail);
  const history = [];
  store.subscribe((state) => history.push(state));
  if (isHurried) {
    store.subscribe(({ wait }) => {
      if (wait) setImmediate(() => clock.advance(Math.max(0, wait.until - clock.now())));
    });
  }
  let asked = 0;
  const { now, schedule } = clock;
  const detour = memory && createDetour({ endpoint, sessionId: SESSION_ID, store, schedule, fetch, now, memory });
  const client = createClient({
    endpoint,
    sessionId: SESSION_ID,
    store,
    fetch: detour ?? fetch,
    now,
    random: () => 0.5,
    schedule,
    // Of the part it is fetched with, no more is asked for.
    fetchPart: () => import('../../widget/src/snapshot.js'),
    newId: () => `r${(asked += 1)}`,
    ...rest,
  });

  /** Resolves with the state in which `isTrue`; rejects, with the state as it is, when that does not come. */
  function until(isTrue, what = String(isTrue)) {
    return new Promise((resolve, reject) => {
      const check = (state) => {
        if (!isTrue(state)) return;
        clearTimeout(timer);
        undo();
        resolve(state);
      };
      const timer = setTimeout(() => {
        undo();
        reject(new Error(`still not: ${what}\n${JSON.stringify(store.get(), null, 1)}`));
      }, PATIENCE_MS);
      const undo = store.subscribe(check);
      check(store.get());
    });
  }

  const bubble = (id) => store.get().messages.find((message) => message.id === id);
  return {
    client,
    store,
    clock,
    history,
    until,
    bubble,
    /** The answer to question number `number`, when it is `state` and, if given, has that text. */
    answer: (number, state, text) =>
      until(
        () => bubble(`a-r${number}`)?.state === state && (text === undefined || bubble(`a-r${number}`).text === text),
        `answer ${number} ${state} ${text ?? ''}`,
      ).then(() => bubble(`a-r${number}`)),
    connection: (name) => until((state) => state.connection === name, name),
    /** Waits for the next pause between attempts and lets it pass. */
    async passPause() {
      const { wait } = await until((state) => state.wait !== null, 'a wait');
      clock.advance(wait.until - clock.now());
      return wait;
    },
  };
}

/** Polls for what the server, not the state, shows. */
export async function eventually(isTrue) {
  const end = Date.now() + PATIENCE_MS;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`still not: ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Runs `play` with a server and a client, and leaves nothing behind. */
export function atDesk(play, options = {}) {
  return async () => {
    const server = await startStandIn(options.server);
    const desk = createDesk(server.endpoint, options.desk);
    try {
      await play({ server, ...desk });
    } finally {
      desk.client.destroy();
      await server.close();
    }
  };
}

/** Asks one question and waits for the first words of its answer: `settled` is the promise of its end. */
export async function beginAnswer({ client, server, answer }) {
  const settled = client.ask('one');
  await eventually(() => server.turn);
  server.turn.say('Hello');
  await answer(1, 'streaming', 'Hello');
  return { settled };
}
