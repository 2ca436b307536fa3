/** A browser with several tabs: storage, locks and channels that they share, and tabs that die without a word. */

import { createClient } from '../../widget/src/client.js';
import { initialState } from '../../widget/src/conversation.js';
import { chatError } from '../../widget/src/errors.js';
import { createStore } from '../../widget/src/store.js';
import { createOutbox } from '../../widget/src/sync/outbox.js';
import { createMemory } from '../../widget/src/sync/session.js';
import { createShared } from '../../widget/src/sync/shared.js';
import { createClock } from './clocks.js';
import { SESSION_ID, startStandIn } from './stand_in.js';

/** localStorage: what is stored are its own properties. */
function createStorage() {
  return Object.create({
    getItem(key) {
      return Object.hasOwn(this, key) ? this[key] : null;
    },
    setItem(key, value) {
      this[key] = `${value}`;
    },
    removeItem(key) {
      delete this[key];
    },
  });
}

/** `navigator.locks` of all tabs: `forTab(tab).request` as the standard has it, as far as it is used. */
export function createLocks(later = setImmediate) {
  let queue = [];
  let holder = null;

  function next() {
    if (holder || !queue[0]) return;
    const entry = (holder = queue.shift());
    later(async () => {
      if (holder !== entry) return;
      await entry.run();
      if (holder !== entry) return;
      holder = null;
      entry.resolve();
      next();
    });
  }

  const aborted = () => new DOMException('Aborted', 'AbortError');
  return {
    get holder() {
      return holder?.tab;
    },
    /** The browser takes back what a dead tab held or waited for. */
    release(tab) {
      queue = queue.filter((entry) => entry.tab !== tab);
      if (holder?.tab !== tab) return;
      holder = null;
      next();
    },
    forTab: (tab) => ({
      request(_, { signal, steal }, run) {
        return new Promise((resolve, reject) => {
          // The dead ask for nothing: a timer of theirs may still fire here.
          if (tab.isDead) return;
          const entry = { tab, run, resolve, reject };
          signal?.addEventListener('abort', () => {
            if (!queue.includes(entry)) return;
            queue = queue.filter((other) => other !== entry);
            reject(aborted());
          });
          if (steal && holder) {
            holder.reject(aborted());
            holder = null;
            queue.unshift(entry);
          } else queue.push(entry);
          next();
        });
      },
    }),
  };
}

/** BroadcastChannels: each message a copy, in order for each tab, some time later. */
export function createAir(later = setImmediate) {
  const open = new Set();
  return {
    forTab(tab) {
      const inbox = [];
      const channel = {
        tab,
        onmessage: null,
        hear(data) {
          inbox.push(data);
          later(() => {
            const next = inbox.shift();
            if (open.has(channel) && !tab.isDead && !tab.isHung) channel.onmessage?.({ data: next });
          });
        },
        postMessage(message) {
          if (!open.has(channel) || tab.isDead) return;
          for (const other of open) if (other !== channel) other.hear(structuredClone(message));
        },
        close: () => open.delete(channel),
      };
      open.add(channel);
      return channel;
    },
  };
}

/** Waits until the state of a tab, or anything else, is as it should be. */
export async function eventually(isTrue, tell = () => '') {
  const end = Date.now() + 4000;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`still not: ${isTrue} ${tell()}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/**
 * A browser at a stand-in server. `later` decides when messages and locks arrive.
 */
export function createBrowser(endpoint, { later, isKnown = true, storage = createStorage(), hasLocks = true } = {}) {
  const locks = createLocks(later);
  const air = createAir(later);
  const clock = createClock();
  const network = { isOnline: true };
  const area = () => storage;
  const tabs = [];
  let ids = 0;
  if (isKnown) storage.setItem(`chatbubble:session:${endpoint}`, SESSION_ID);

  function open() {
    const store = createStore(initialState);
    const session = createMemory(endpoint, area);
    const tab = { store, session, clients: [], history: [], isDead: false, isHung: false, isTold: false, seen: 0 };
    // The stand-in knows one visitor.
    const { keep } = session;
    session.keep = (sessionId = SESSION_ID) => keep(sessionId);
    store.subscribe((state) => tab.history.push(state));
    tab.shared = createShared({
      name: 'n',
      store,
      session,
      identify: (...given) => browser.identify(...given),
      outbox: createOutbox(endpoint, clock.now, area),
      platform: { open: () => air.forTab(tab), locks: hasLocks ? locks.forTab(tab) : undefined },
      newId: () => `id${(ids += 1)}`,
      now: clock.now,
      schedule: clock.schedule,
      isOnline: () => network.isOnline,
      isHidden: () => false,
      onTold: () => (tab.isTold = true),
      onSeen: () => (tab.seen += 1),
      createOwn(sessionId) {
        const client = createClient({
          endpoint, sessionId, store, fetch, now: Date.now, random: () => 0,
          schedule: (run, ms) => {
            const timer = setTimeout(run, Math.min(ms, 1e6));
            timer.unref();
            return () => clearTimeout(timer);
          },
          fetchPart: () => import('../../widget/src/snapshot.js'),
          newId: () => `own${(ids += 1)}`,
        });
        tab.clients.push(client);
        return client;
      },
    });
    Object.assign(tab, {
      texts: () => store.get().messages.map(({ text }) => text),
      states: () => store.get().messages.map(({ state }) => state),
      /** Gone without a word: its connections are cut, its lock is free, what it was told is lost. */
      crash() {
        tab.isDead = true;
        for (const client of tab.clients) client.destroy();
        locks.release(tab);
      },
    });
    tabs.push(tab);
    tab.shared.join();
    return tab;
  }

  const browser = {
    open, locks, clock, network, storage, tabs,
    /** What the server says to a token: its visitor's session id, or why not. */
    identify: () => Promise.reject(chatError('IDENTITY_REFUSED', '', false)),
    get leader() {
      return locks.holder;
    },
    unsent: () => Object.keys(storage).filter((key) => key.includes(':unsent:')),
    close() {
      for (const tab of tabs) {
        tab.crash();
        tab.shared.destroy();
      }
    },
  };
  return browser;
}

/** Runs `play` with a server and a browser, and leaves nothing behind. */
export function inBrowser(play, options = {}) {
  return async () => {
    const server = await startStandIn(options.server);
    const browser = createBrowser(server.endpoint, options);
    try {
      await play({ server, browser, open: browser.open });
    } finally {
      browser.close();
      await server.close();
    }
  };
}

/** Whether all is answered. */
export const isDone = (tab) => tab.states().every((state) => state === 'done') && tab.store.get().turn === null;

/** What an answer says, in pieces. */
export const WORDS = ['Hello', ' you', ' there', ', all', ' is', ' well', '.'];

/** Opens tabs and waits until one of them leads and all know the conversation. */
export async function openAll(open, count) {
  const tabs = Array.from({ length: count }, open);
  await eventually(() => tabs.every((tab) => tab.isTold));
  return tabs;
}
