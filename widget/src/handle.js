/**
 * The bubble as an object: what `mount` gives a page of one's own build.
 */

import { createStore } from './store.js';

/** @typedef {import('./public.js').ChatState} ChatState */

/** Before the chat was fetched. @type {ChatState} */
const UNKNOWN = { isReady: false, isOpen: false, isAnswering: false, unread: 0, connection: 'idle', messages: [] };

/**
 * @param {import('./launch.js').Run} run
 * @returns {import('./public.js').Handle}
 */
export function createHandle(run) {
  const { get, set, subscribe } = createStore(UNKNOWN, reportError);
  run('on', 'state', set);
  return {
    open: () => run('open'),
    close: () => run('close'),
    toggle: () => run('toggle'),
    ask: (text) => run('ask', text),
    send: (text) => run('send', text),
    stop: () => run('stop'),
    update: (changes) => run('update', changes),
    identify: (who) => run('identify', who),
    reset: () => run('reset'),
    on: (name, listener) => run('on', name, listener),
    off: (name, listener) => run('off', name, listener),
    store: { get, subscribe },
    destroy: () => run('destroy'),
  };
}
