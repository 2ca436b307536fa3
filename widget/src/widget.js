/**
 * The chat itself, put together: options -> store, client, views. Fetched on the visitor's first
 * sign of interest; the launcher is there already.
 */

import { createClient } from './client.js';
import { readConfig } from './config.js';
import { initialState } from './conversation.js';
import { schedule } from './dom.js';
import { readOptions } from './options.js';
import { createId, createMark, createSession, readSession } from './storage.js';
import { createStore } from './store.js';
import { pickLocale } from './strings.js';
import { en } from './strings/en.js';
import { createPanel } from './views/panel.js';

/** @typedef {import('./types.js').State} State */

/**
 * @typedef {object} Chat
 * @property {(isOpen: boolean, takesFocus: boolean) => void} show the frame was opened or closed
 * @property {(verb: string, details: any[]) => void} run obeys the page; the launcher has done its part
 */

/**
 * @typedef {object} ChatParts
 * @property {HTMLElement} host
 * @property {ShadowRoot} root
 * @property {HTMLButtonElement} button
 * @property {HTMLElement} frame
 * @property {Readonly<Record<string, unknown>>} given the options, unchecked
 * @property {string} endpoint
 * @property {((name: string) => string) | undefined} spell how the page spells an option's name
 * @property {(isOpen: boolean, takesFocus?: boolean) => void} show opens or closes the frame
 * @property {(name: string) => Promise<any>} fetchPart as of chat.js; never rejects
 */

/**
 * Build the chat into the launcher's frame.
 *
 * @param {ChatParts} parts
 * @returns {Promise<Chat>}
 */
export async function createChat({ host, root, button, frame, given, endpoint: home, spell, show, fetchPart }) {
  const { options, wrong } = readOptions(given);
  const locale = pickLocale([options.locale, document.documentElement.lang, ...navigator.languages]);
  /** @type {import('./types.js').Strings} */
  const words = (await fetchPart(locale))?.default ?? en;
  // Made absolute here: the page may have a base address of its own.
  const endpoint = new URL(options.endpoint ?? home, location.href).href.replace(/\/+$/, '');
  /** @type {(...mistake: Parameters<typeof import('./warnings.js').warningOf>) => Promise<void>} */
  const warn = async (...mistake) => {
    const part = await fetchPart('warnings');
    if (part) console.warn(part.warningOf(...mistake));
  };
  if (wrong[0]) void warn(given, wrong, spell);
  const life = new AbortController();
  const { signal } = life;
  const mark = createMark(home);
  const store = createStore(initialState);
  const server = connect(endpoint, locale, store, onRestored, signal);
  const { theme } = options;
  const panel = createPanel({ root, button, frame, locale, theme, words, server, signal, onClose: () => show(false) });

  function onRestored() {
    mark.settle();
    // As it was when the last page was left, and without taking the focus from this one.
    if (mark.wasOpen && !signal.aborted) show(true, false);
  }

  /** @param {State} state */
  function render(state) {
    panel.update(state);
    mark.update(Boolean(state.turn || state.queued));
  }

  /**
   * Title, greeting and accent: the page's own, else those of the server, else ours.
   *
   * @param {Record<string, unknown>} config
   */
  function brand(config) {
    const { title, greeting, accent } = readOptions(config).options;
    panel.brand(options.title ?? title ?? words.title, options.greeting ?? greeting ?? words.greeting);
    if (accent && !options.accent) host.style.setProperty('--chatbubble-accent', accent);
  }

  store.subscribe(render);
  render(store.get());
  server.restore();
  void readConfig(endpoint, signal).then(brand);

  return {
    show(isOpen, takesFocus) {
      mark.show(isOpen);
      panel.show(isOpen, takesFocus);
    },
    run(verb, [detail]) {
      if (verb === 'ask' && typeof detail === 'string') panel.ask(detail);
      else if (verb === 'stop') server.stop();
      else if (verb === 'destroy') life.abort();
      else void warn({ [verb]: detail }, [verb], String);
    },
  };
}

/**
 * The client, from its first use on: who the visitor is to the server is settled no sooner, so
 * nothing is stored for those who only look, and a tab that was opened early still shares the
 * session that another has begun meanwhile.
 *
 * @param {string} endpoint
 * @param {string} locale
 * @param {import('./types.js').Store<State>} store
 * @param {() => void} onRestored the conversation of earlier is in the state
 * @param {AbortSignal} signal ends requests, timers and listeners
 * @returns {import('./views/panel.js').Server & {restore: () => void}}
 */
function connect(endpoint, locale, store, onRestored, signal) {
  /** @type {import('./types.js').Client | null} */
  let client = null;

  function reach() {
    if (client) return client;
    const known = readSession(endpoint);
    client = createClient({
      endpoint,
      sessionId: known ?? createSession(endpoint),
      store,
      fetch: (...request) => fetch(...request),
      now: Date.now,
      random: Math.random,
      schedule,
      newId: createId,
      locale,
      // Without the query: what a shop keeps there is nobody's business.
      page: () => ({ url: location.origin + location.pathname, title: document.title }),
    });
    if (known) void client.restore().then(onRestored);
    return client;
  }

  const resume = () => document.hidden || client?.resumeNow();
  for (const type of ['online', 'pageshow', 'visibilitychange']) window.addEventListener(type, resume, { signal });
  signal.addEventListener('abort', () => client?.destroy());
  return {
    restore() {
      if (readSession(endpoint)) reach();
    },
    ask: (text) => void reach().ask(text),
    retry: (id) => void reach().retry(id),
    stop: () => client?.stop(),
    resumeNow: () => client?.resumeNow(),
  };
}
