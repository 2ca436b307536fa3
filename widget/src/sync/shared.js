/**
 * The client that all tabs of a visitor share. One tab leads: it has the connection. The others
 * show what it shows and pass on to it what their visitor does. When it goes, another goes on from
 * where it was.
 *
 * Nothing is asked of a tab that may have died without being kept: questions stay in `unsent` and
 * other wishes in `calls` until the leading tab shows or says that they were met, and are told
 * again to each new one.
 */

import { findMessage, questionId } from '../messages.js';
import { createCalls } from './calls.js';
import { createLeader } from './leader.js';
import { createReplica } from './replica.js';
import { createTabs } from './tabs.js';
import { createUnsent } from './unsent.js';
import { createWatch } from './watch.js';

const FROM_LEADER = ['state', 'change', 'gone', 'did', 'pong'];

/**
 * @typedef {object} Parts
 * @property {string} name of this conversation, the same in all tabs
 * @property {import('../types.js').Store<import('../types.js').State>} store
 * @property {(sessionId: string) => import('../types.js').Client} createOwn
 * @property {(token: string, isWanted: () => boolean) => Promise<string>} identify asks the server whose token it is
 * @property {import('./session.js').Session} session
 * @property {import('./outbox.js').Outbox} outbox
 * @property {import('./tabs.js').Platform} platform
 * @property {() => string} newId
 * @property {() => number} now
 * @property {import('../types.js').Schedule} schedule
 * @property {() => boolean} isOnline
 * @property {() => boolean} isHidden
 * @property {() => void} onSeen the visitor has seen in another tab what there is
 * @property {() => void} onTold the conversation is in the state, as far as it is known
 */

/** @typedef {ReturnType<typeof createShared>} Shared */

/** @param {Parts} parts */
export function createShared(parts) {
  const { store, newId, now } = parts;
  const unsent = createUnsent(parts.outbox);
  const leader = createLeader({ ...parts, createOwn, unsent, post });
  const calls = createCalls({ obey: leader.obey, post, newId });
  const replica = createReplica({ ...parts, unsent, post });
  const tabs = createTabs({ ...parts, hear, lead, yield: leader.stop });
  const watch = createWatch({ ...parts, isWaiting, ping: () => post({ type: 'ping' }), onHung: tabs.seize });
  const undo = store.subscribe(onChange);
  /** @param {object} message for all other tabs */
  function post(message) {
    tabs.post({ term: replica.term, ...message });
  }

  /** @param {string} sessionId */
  function createOwn(sessionId) {
    const client = parts.createOwn(sessionId);
    replica.announce();
    return client;
  }

  function lead() {
    watch.end();
    replica.begin(0);
    leader.start();
    calls.obey();
    leader.send();
  }

  /** @param {import('../types.js').State} state */
  function onChange(state) {
    unsent.settle(state);
    if (tabs.isLeading) replica.tell(state);
    else watch.look();
  }

  function isWaiting() {
    if (tabs.isLeading || parts.isHidden()) return false;
    return Boolean(store.get().turn || calls.size || unsent.list()[0]);
  }

  /** @param {any} message */
  function hear(message) {
    if (message.type === 'seen') parts.onSeen();
    else if (tabs.isLeading) hearTab(message);
    else if (message.term >= replica.term) hearLeader(message);
    // Of an earlier term, unless the tab that leads now does not know of ours.
    else if (message.type === 'state') post({ type: 'hello' });
  }

  /** @param {any} message from a tab that does not lead */
  function hearTab(message) {
    const { type, question, term } = message;
    if (type === 'hello' && term > replica.term) replica.begin(term);
    else if (type === 'hello') replica.announce();
    if (type === 'resume') resumeNow();
    if (type === 'ping') post({ type: 'pong' });
    if (type === 'call') void calls.serve(message);
    if (type === 'ask' && !findMessage(store.get().messages, questionId(question.requestId))) take(question);
  }

  /** @param {any} message of the tab that leads, or of one like this, which is not meant */
  function hearLeader(message) {
    const { type, requestId } = message;
    if (!FROM_LEADER.includes(type)) return;
    watch.hear();
    if (type === 'state' || type === 'change') replica.take(message);
    if (type === 'gone' && requestId) unsent.drop(requestId);
    if (type === 'gone' && !requestId) unsent.clear();
    if (type === 'did') calls.settle(message);
    if (type !== 'state') return;
    parts.onTold();
    passOn();
  }

  /** Tells the tab that leads what it does not know yet. */
  function passOn() {
    // As whom it is asked goes before a question; all else is about what was asked.
    calls.post((verb) => verb === 'identify');
    for (const question of unsent.list()) post({ type: 'ask', question });
    calls.post((verb) => verb !== 'identify');
    watch.look();
  }

  /** @param {import('./outbox.js').Question} question */
  function take(question) {
    unsent.add(question);
    store.set(unsent.shown(store.get()));
    if (tabs.isLeading) leader.send();
    else passOn();
  }

  /** @type {(verb: string, detail?: string) => Promise<void>} */
  const call = (verb, detail) => {
    const settled = calls.add(verb, detail);
    if (tabs.isLeading) calls.obey();
    else passOn();
    return settled;
  };

  /** The line may be back, or the visitor looks again. */
  function resumeNow() {
    if (tabs.isLeading) {
      leader.resume();
      leader.send();
    } else {
      post({ type: 'resume' });
      passOn();
    }
  }

  return {
    ...createWishes({ store, newId, now, take, call, resumeNow }),
    see: () => post({ type: 'seen' }),

    join() {
      tabs.join();
      post({ type: 'hello' });
    },

    /** Nothing of the visitor's is lost: it is kept for the next time, or for the other tabs. */
    leave() {
      watch.end();
      tabs.leave();
    },

    destroy() {
      this.leave();
      undo();
    },
  };
}

/**
 * What the visitor may wish, in terms of questions to be taken and calls to be met.
 *
 * @param {Pick<Parts, 'store' | 'newId' | 'now'> & {
 *   take: (question: import('./outbox.js').Question) => void,
 *   call: (verb: string, detail?: string) => Promise<void>,
 *   resumeNow: () => void,
 * }} parts
 */
function createWishes({ store, newId, now, take, call, resumeNow }) {
  /**
   * @param {string} text
   * @param {string} [replaces]
   */
  function ask(text, replaces) {
    if (text.trim()) take({ requestId: newId(), text: text.trim(), replaces, at: now() });
  }

  return {
    ask,
    resumeNow,
    erase: () => call('erase'),
    drop: () => call('drop'),
    /** Reads the server's copy of the conversation anew. */
    reload: () => call('reload'),
    /** @param {string} token */
    identify: (token) => call('identify', token),

    stop() {
      const { turn } = store.get();
      if (turn) void call('stop', turn.requestId);
    },

    /** @param {string} id */
    retry(id) {
      const { messages } = store.get();
      const answer = findMessage(messages, id);
      const question = findMessage(messages, questionId(answer?.requestId ?? ''));
      if (answer?.state !== 'failed') resumeNow();
      else if (question) ask(question.text, `${question.requestId}`);
    },

    /** @param {string} requestId of a question that is still queued */
    takeBack: (requestId) => void call('takeBack', requestId),
  };
}
