/**
 * Asks a person whom the page has named what becomes of what was written in this browser before: it may have been
 * somebody else who did. Until they say so it stays where it is.
 */

import { adopt, make, makeButton, schedule } from './dom.js';
import { asChatError } from './errors.js';
import { insist } from './patience.js';
import css from './styles/offer.css';
import { createTransport } from './transport.js';

/** @typedef {import('./widget.js').Running} Running */
/** @typedef {import('./response.js').Reply} Reply */

/**
 * @typedef {object} Offer
 * @property {() => boolean} isOpen whether it was answered nowhere yet
 * @property {(isWanted: () => boolean) => Promise<boolean>} hasWords whether there is anything to be had. Rejects with
 *   a ChatError
 * @property {() => Promise<void>} take has it added. Rejects with a ChatError
 * @property {() => void} leave
 */

const TEXT_ID = 'chatbubble-offer';
/** Roots that have our style sheet. @type {WeakSet<ShadowRoot>} */
const dressed = new WeakSet();

/**
 * Resolves once there is nothing left to be asked on this page. It is asked in one tab at a time: where the visitor
 * looks.
 *
 * @param {Running} chat
 * @param {import('./sync/session.js').Session} session
 * @param {() => Promise<void>} reload has the conversation read anew, for all tabs
 */
export async function offerEarlier(chat, session, reload) {
  const { endpoint, signal } = chat;
  for (let id = session.earlier(); id && !signal.aborted; id = session.earlier()) {
    const offer = createOffer(chat, session, id);
    const isOver = () => document.hidden || !offer.isOpen();
    await until(() => !document.hidden || !offer.isOpen(), chat);
    const over = new AbortController();
    void until(isOver, chat).then(() => over.abort());
    try {
      await alone(`chatbubble:offer:${endpoint}`, over.signal, () => ask(chat, offer, isOver, reload));
    } catch (fault) {
      asChatError(fault);
      // The next page asks again.
      if (!isOver()) return;
    }
  }
}

/**
 * @param {Running} chat
 * @param {import('./sync/session.js').Session} session
 * @param {string} id the session id of before
 * @returns {Offer}
 */
function createOffer({ endpoint, server, signal }, session, id) {
  const isOpen = () => !signal.aborted && session.earlier() === id;
  /** @param {string} sessionId who asks, whatever the request has in its body */
  const connect = (sessionId) => {
    const Authorization = `Bearer ${sessionId}`;
    /** @type {typeof fetch} */
    const send = (url, init) => fetch(url, { ...init, headers: { ...init?.headers, Authorization } });
    return createTransport({ endpoint, sessionId, fetch: send, now: Date.now, schedule });
  };
  return {
    isOpen,
    leave: session.letGo,

    async hasWords(isWanted) {
      const isGood = (/** @type {Reply} */ { body }) => Array.isArray(body?.messages);
      const { messages } = await insist(() => connect(id).exchange('GET', '/conversation', isGood), isWanted);
      return messages.length > 0;
    },

    async take() {
      const isGood = (/** @type {Reply} */ { status }) => status === 204;
      const body = { sessionId: id };
      // While an answer runs it is refused; and the page may renew who its visitor is between two attempts.
      await insist(() => connect(`${server.session}`).exchange('POST', '/conversation/adopt', isGood, body), isOpen);
      session.letGo();
    },
  };
}

/**
 * Resolves once it was answered, here or elsewhere, or the visitor looks away. Rejects with a ChatError.
 *
 * @param {Running} chat
 * @param {Offer} offer
 * @param {() => boolean} isOver
 * @param {() => Promise<void>} reload
 */
async function ask(chat, offer, isOver, reload) {
  const { root, frame, panel, words } = chat;
  if (isOver()) return;
  if (!(await offer.hasWords(() => !isOver()))) return offer.leave();
  // Our words come after the chat, or not at all.
  await until(() => isOver() || Boolean(words.earlierAsk), chat);
  if (isOver()) return;
  if (!dressed.has(root)) adopt(root, css);
  dressed.add(root);
  const box = createBox(chat, offer, reload);
  frame.insertBefore(box.element, panel.composer.element);
  // A line of the panel whose text changes is told to a screen reader.
  box.tell(`${words.earlierAsk}`);
  await until(() => !box.isBusy() && isOver(), chat);
  // The button goes, and would take the focus with it.
  if (box.element.contains(root.activeElement)) panel.composer.focus();
  box.element.remove();
}

/**
 * @param {Running} chat
 * @param {Offer} offer
 * @param {() => Promise<void>} reload
 */
function createBox({ store, words }, offer, reload) {
  const line = make('span', 'line', { id: TEXT_ID });
  const add = makeButton('offer-answer', () => void answer(take), `${words.earlierAdd}`);
  const leave = makeButton('offer-answer', () => void answer(offer.leave), `${words.earlierLeave}`);
  const element = make('div', 'offer', { role: 'group', 'aria-labelledby': TEXT_ID }, line, add, leave);

  const isBusy = () => element.getAttribute('aria-busy') === 'true';
  /** @param {string} text */
  const tell = (text) => line.replaceChildren(text);

  async function take() {
    await offer.take();
    tell(`${words.earlierAdded}`);
    void reload();
  }

  /** @param {() => Promise<void> | void} act */
  async function answer(act) {
    if (isBusy()) return;
    element.setAttribute('aria-busy', 'true');
    try {
      await act();
    } catch (fault) {
      asChatError(fault);
      tell(words.failed);
    } finally {
      element.setAttribute('aria-busy', 'false');
    }
    // Whoever waits for this looks when the state changes.
    store.set({ ...store.get() });
  }

  return { element, isBusy, tell };
}

/**
 * Resolves once it is so: looked at whenever something may have changed, in this tab or another.
 *
 * @param {() => boolean} isSo
 * @param {Running} chat
 * @returns {Promise<void>}
 */
function until(isSo, { store, signal }) {
  return new Promise((resolve) => {
    const end = new AbortController();
    const undo = store.subscribe(look);
    function look() {
      if (!isSo()) return;
      undo();
      end.abort();
      resolve();
    }
    for (const [target, type] of /** @type {const} */ ([[window, 'storage'], [document, 'visibilitychange']])) {
      target.addEventListener(type, look, { signal: end.signal });
    }
    signal.addEventListener('abort', look, { signal: end.signal });
    look();
  });
}

/**
 * Does it once no other tab does. Resolves without having done it when `signal` comes before that.
 *
 * @param {string} name
 * @param {AbortSignal} signal
 * @param {() => Promise<void>} run
 * @returns {Promise<void>}
 */
async function alone(name, signal, run) {
  let hasBegun = false;
  try {
    await navigator.locks.request(name, { signal }, () => {
      hasBegun = true;
      return run();
    });
  } catch (fault) {
    if (hasBegun) throw fault;
    // A page that is not secure has no locks: each tab asks, until one was answered.
    if (!signal.aborted) await run();
  }
}
