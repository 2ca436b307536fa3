/**
 * What keeps this page in step with the server's copy of the conversation and with the visitor's
 * other pages.
 */

import { schedule } from './dom.js';
import { chatError, CONNECTION_LOST } from './errors.js';
import { createId, createMark } from './storage.js';
import { createOutbox } from './sync/outbox.js';
import { createMemory } from './sync/session.js';
import { createShared } from './sync/shared.js';

export { applySnapshot } from './snapshot.js';

/**
 * @param {import('./widget.js').Running} chat
 * @returns {import('./sync/shared.js').Shared} what the visitor's wishes go to
 */
export function start(chat) {
  const { endpoint, store, server, frame, signal, onTold, fetchPart } = chat;
  const session = createMemory(endpoint);
  const detour = fetchPart('detour');
  const shared = createShared({
    // Tabs of another build have other names for what a state holds: they do without each other.
    name: `chatbubble:${endpoint}:${import.meta.url.replace(/#.*/, '')}`,
    store,
    createOwn: (sessionId) => {
      const way = detour.then((part) => part?.createDetour({ endpoint, sessionId, store, schedule }) ?? fetch);
      // The conversation need not wait for it: by the time that is read, the way is there.
      /** @param {any} url @param {any} init */
      const send = async (url, init) => (url.startsWith(`${endpoint}/chat`) ? await way : fetch)(url, init);
      return server.createOwn(sessionId, { fetch: send });
    },
    identify: async (token, isWanted) => {
      const part = await fetchPart('identity');
      if (!part) throw chatError(CONNECTION_LOST);
      return part.identify(endpoint, token, isWanted);
    },
    session,
    outbox: createOutbox(endpoint),
    platform: { open: (name) => new BroadcastChannel(name), locks: navigator.locks },
    newId: createId,
    now: Date.now,
    schedule,
    isOnline: () => navigator.onLine,
    isHidden: () => document.hidden,
    onTold,
    onSeen: () => frame.dispatchEvent(new Event('seen')),
  });
  Object.defineProperty(server, 'session', { get: session.read });
  server.takeBack = shared.takeBack;
  keepOffering(chat, session, shared);
  keepMark(chat);
  tellSeen(chat, shared.see);
  live(shared, signal);
  return shared;
}

/**
 * Where the page says who its visitor is, they are asked, once that is known, what becomes of what they wrote before.
 *
 * @param {import('./widget.js').Running} chat
 * @param {import('./sync/session.js').Session} session
 * @param {import('./sync/shared.js').Shared} shared
 */
function keepOffering(chat, session, shared) {
  const { identify, reload } = shared;
  let isNamed = false;
  let isOffering = false;

  async function offer() {
    if (!isNamed || isOffering || !session.earlier()) return;
    isOffering = true;
    try {
      await (await chat.fetchPart('identity'))?.offerEarlier(chat, session, reload);
    } finally {
      isOffering = false;
    }
  }

  shared.identify = async (token) => {
    await identify(token);
    isNamed = true;
    void offer();
  };
  // Another tab may have heard of it sooner than this one of what that has stored.
  window.addEventListener('storage', () => void offer(), { signal: chat.signal });
}

/**
 * Leaves the mark by which the next page, or another tab, shows a running answer by itself.
 *
 * @param {import('./widget.js').Running} chat
 */
function keepMark({ home, button, store, restored, signal, show }) {
  const mark = createMark(home);
  const isOpen = () => button.getAttribute('aria-expanded') === 'true';
  const observer = new MutationObserver(() => mark.show(isOpen()));
  /** @param {import('./types.js').State} state */
  const update = ({ turn, queued }) => mark.update(Boolean(turn || queued));

  observer.observe(button, { attributeFilter: ['aria-expanded'] });
  signal.addEventListener('abort', () => observer.disconnect());
  mark.show(isOpen());
  update(store.get());
  store.subscribe(update);
  void restored.then(() => {
    mark.settle();
    // As it was when the last page was left, and without taking the focus from this one.
    if (mark.wasOpen && !signal.aborted) show(true, false);
  });
}

/**
 * Tells the other tabs that the visitor has seen what there is: nothing is unread there either.
 *
 * @param {import('./widget.js').Running} chat
 * @param {() => void} see
 */
function tellSeen({ button, store, signal }, see) {
  let wasRunning = false;
  const look = () => {
    if (button.getAttribute('aria-expanded') === 'true' && !document.hidden) see();
  };
  const observer = new MutationObserver(look);

  observer.observe(button, { attributeFilter: ['aria-expanded'] });
  signal.addEventListener('abort', () => observer.disconnect());
  window.addEventListener('visibilitychange', look, { signal });
  store.subscribe(({ turn }) => {
    if (wasRunning && !turn) look();
    wasRunning = Boolean(turn);
  });
}

/**
 * A page that is put away, or frozen, lets another tab lead, and joins again when it is back.
 *
 * @param {import('./sync/shared.js').Shared} shared
 * @param {AbortSignal} signal
 */
function live(shared, signal) {
  const resume = () => document.hidden || shared.resumeNow();
  /** @param {EventTarget} target @param {string} type @param {() => void} call */
  const on = (target, type, call) => target.addEventListener(type, call, { signal });

  for (const type of ['online', 'visibilitychange']) on(window, type, resume);
  on(window, 'pagehide', shared.leave);
  on(window, 'pageshow', shared.join);
  on(document, 'freeze', shared.leave);
  on(document, 'resume', shared.join);
  signal.addEventListener('abort', () => shared.destroy());
  shared.join();
}
