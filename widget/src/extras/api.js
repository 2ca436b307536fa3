/**
 * What the page can have done with the bubble, and what it is told of it.
 */

import { initialState } from '../conversation.js';
import { asChatError } from '../errors.js';
import { mistakesIn } from '../options.js';
import { createEmitter } from './emitter.js';
import { happeningsBetween } from './happenings.js';
import { createWardrobe } from './wardrobe.js';

/** @typedef {import('../widget.js').Running} Running */
/** @typedef {import('./emitter.js').Emitter} Emitter */

/**
 * @param {Running} chat
 * @param {(text: string) => void} ask
 * @returns {(verb: string, details: any[]) => void} obeys the page; what makes no sense is named in the console
 */
export function createApi(chat, ask) {
  const emitter = createEmitter(chat.host, chat.signal);
  const change = createWardrobe(chat);
  tell(chat, emitter);

  /** @type {Readonly<Record<string, (detail: any, listener: any) => string | void>>} */
  const verbs = {
    ask: (text) => mistakesIn({ ask: text }, String)[0] ?? ask(text),
    send: (text) => mistakesIn({ ask: text }, () => 'send')[0] ?? ask(text),
    stop: () => void chat.server.stop(),
    identify: (who) =>
      typeof who?.token === 'string'
        ? void chat.server.identify(who.token).catch(refuse)
        : 'Chatbubble: identify takes an object with a token.',
    reset: () => void chat.server.drop(),
    update: change,
    on: emitter.on,
    off: emitter.off,
  };

  /** @param {any} fault of telling who the visitor is: the chat goes on as it was */
  function refuse(fault) {
    const { code, message, retryable } = asChatError(fault);
    console.warn(`Chatbubble: identify failed, ${code}: ${message}`);
    emitter.emit('error', { id: '', question: '', code, message, retryable });
  }

  return (verb, [detail, listener]) => {
    const obey = Object.hasOwn(verbs, verb) ? verbs[verb] : () => mistakesIn({ [verb]: detail }, String)[0];
    // After the end nothing more is asked.
    const mistake = !chat.signal.aborted && obey?.(detail, listener);
    if (mistake) console.warn(mistake);
  };
}

/**
 * Turn what happens to the chat into events.
 *
 * @param {Running} chat
 * @param {Emitter} emitter
 */
function tell({ button, frame, store, signal }, { emit }) {
  const isOpenNow = () => button.getAttribute('aria-expanded') === 'true';
  let last = initialState;
  let isOpen = false;
  let unread = 0;

  /** @param {number} count */
  function setUnread(count) {
    if (count === unread) return;
    unread = count;
    emit('unread', { count });
  }

  function emitState() {
    const { turn, connection, messages } = last;
    const isAnswering = Boolean(turn && !turn.isStopped);
    emit('state', { isReady: true, isOpen, isAnswering, unread, connection, messages });
  }

  function onToggle() {
    if (isOpen === isOpenNow()) return;
    isOpen = !isOpen;
    emit(isOpen ? 'open' : 'close', {});
    if (isOpen) setUnread(0);
    emitState();
  }

  /** @param {import('../types.js').State} state */
  function update(state) {
    const happenings = happeningsBetween(last, state);
    last = state;
    for (const [name, detail] of happenings) {
      emit(name, detail);
      if (/^(answer|error)$/.test(name) && 'id' in detail && detail.id && !isOpen) setUnread(unread + 1);
    }
    emitState();
  }

  function onSeen() {
    setUnread(0);
    emitState();
  }

  // In another tab.
  frame.addEventListener('seen', onSeen);
  const observer = new MutationObserver(onToggle);
  observer.observe(button, { attributeFilter: ['aria-expanded'] });
  signal.addEventListener('abort', () => observer.disconnect());
  emit('ready', {});
  onToggle();
  update(store.get());
  store.subscribe(update);
}
