/**
 * What the leading tab does: it runs the one client of all tabs, and obeys them.
 */

import { initialState, reduce } from '../conversation.js';
import { OFFLINE } from '../errors.js';
import { signedParts } from '../storage.js';
import { createNaming } from './naming.js';
import { withoutQuestion } from './unsent.js';

/** @typedef {import('../types.js').Client} Client */
/** @typedef {ReturnType<typeof createLeader>} Leader */

/**
 * @typedef {object} Ground
 * @property {import('../types.js').Store<import('../types.js').State>} store
 * @property {(sessionId: string) => Client} createOwn
 * @property {(token: string, isWanted: () => boolean) => Promise<string>} identify whose token it is: their session id
 * @property {import('./session.js').Session} session
 * @property {() => boolean} isOnline
 * @property {import('./unsent.js').Unsent} unsent
 * @property {(message: object) => void} post for all other tabs
 * @property {() => void} onTold the server's copy of the conversation is in the state
 */

/** @param {Ground} ground */
export function createLeader({ store, createOwn, session, isOnline, unsent, post, onTold, identify }) {
  /** @type {Client | null} */
  let client = null;
  /** Those that the client has. @type {Set<string>} */
  const handed = new Set();
  const naming = createNaming({ identify, become, onSettled: send });

  /** Sends what waits, or says why it does not. */
  function send() {
    const isOffline = !isOnline();
    const { connection, wait } = store.get();
    const waiting = unsent.list().filter(({ requestId }) => !handed.has(requestId));
    if (isOffline && connection === 'idle' && waiting[0]) show('reconnecting', { code: OFFLINE, until: Infinity });
    if (isOffline || naming.isPending) return;
    if (wait?.code === OFFLINE) show('idle');
    if (waiting[0]) client ??= createOwn(session.read() ?? session.keep());
    for (const { requestId, text, replaces } of waiting) {
      handed.add(requestId);
      void client?.ask(text, replaces, requestId);
    }
  }

  /**
   * @param {import('../types.js').Connection} connection
   * @param {import('../types.js').Wait} [wait]
   */
  function show(connection, wait) {
    store.set(reduce(store.get(), { type: 'connection', connection, wait }));
  }

  function stop() {
    client?.destroy();
    client = null;
    handed.clear();
    naming.cancel();
  }

  /**
   * The next question is that of another visitor.
   * @param {readonly import('./outbox.js').Question[]} kept theirs already
   */
  function drop(kept = []) {
    stop();
    session.forget();
    post({ type: 'gone' });
    unsent.clear();
    kept.forEach(unsent.add);
    // A new one in any case: whoever looks at the state looks at the session as well.
    store.set({ ...unsent.shown(initialState) });
  }

  /** What waits is sent by the caller. */
  function start() {
    const { turn } = store.get();
    // Nobody knows whether it arrived: it is asked again, under the same name.
    if (turn && !turn.streamId && !turn.isStopped) store.set(reduce(store.get(), { type: 'requeue' }));
    unsent.collect(store.get());
    store.set(unsent.shown(store.get()));
    const known = session.read();
    // Who is nobody any more is not asked about what was before.
    if (!signedParts(known)[1]) session.letGo();
    if (known) {
      client = createOwn(known);
      void client.restore().then(onTold);
    }
    // There is something to see already, or nothing to wait for.
    if (!known || unsent.list()[0]) onTold();
  }

  /** @param {string} sessionId of a person */
  function become(sessionId) {
    const before = session.read();
    const [, person] = signedParts(before);
    // The same one goes on. What a nameless visitor asked, and has not arrived, is asked by whom they turned out to be.
    if (person === signedParts(sessionId)[1]) stop();
    else {
      drop(person ? [] : unsent.list());
      // What has arrived is offered to this person, and to no other after them.
      if (before && !person) session.setAside(before);
    }
    session.keep(sessionId);
    start();
    send();
  }

  return {
    send,
    start,
    stop,
    resume: () => client?.resumeNow(),

    /**
     * What any tab may have done. Rejects with a ChatError.
     * @param {string} verb
     * @param {string} [detail]
     */
    async obey(verb, detail) {
      const { turn } = store.get();
      if (verb === 'stop' && turn?.requestId === detail) client?.stop();
      if (verb === 'takeBack' && detail) {
        // First: a tab that still knows the question would show it again.
        post({ type: 'gone', requestId: detail });
        unsent.drop(detail);
        store.set(withoutQuestion(store.get(), detail));
        if (store.get().wait?.code === OFFLINE && !unsent.list()[0]) show('idle');
      }
      if (verb === 'reload') await client?.restore();
      if (verb === 'identify') await naming.learn(`${detail}`);
      if (verb === 'erase') await client?.erase();
      if (verb === 'erase' || verb === 'drop') drop();
    },
  };
}
