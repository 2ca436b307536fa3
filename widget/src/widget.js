/**
 * The chat itself, put together: options -> store, client, views. Fetched on the visitor's first
 * sign of interest; the launcher is there already.
 */

import { createClient } from './client.js';
import { readConfig } from './config.js';
import { initialState } from './conversation.js';
import { schedule } from './dom.js';
import { fetchPart } from './parts.js';
import { createId, createSession, readSession } from './storage.js';
import { createStore } from './store.js';
import { pickLocale } from './strings.js';
import { chat as en } from './strings/en.js';
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
 * @property {Readonly<Record<string, any>>} given the options, unchecked
 * @property {string} endpoint
 * @property {((name: string) => string) | undefined} spell how the page spells an option's name
 * @property {(isOpen: boolean, takesFocus?: boolean) => void} show opens or closes the frame
 */

/**
 * What the parts that are fetched later work with.
 *
 * @typedef {ChatParts & {
 *   home: string,
 *   endpoint: string,
 *   words: import('./types.js').Words,
 *   locale: string,
 *   signal: AbortSignal,
 *   store: import('./types.js').Store<State>,
 *   server: ReturnType<typeof connect>,
 *   panel: import('./views/panel.js').Panel,
 *   restored: Promise<void> | undefined,
 *   config: Promise<Record<string, any>>,
 *   fetchPart: (name: string) => Promise<any>,
 * }} Running
 */

/**
 * @typedef {object} Reach
 * @property {string} session the secret id that the server knows the visitor by; empty before its first use
 * @property {() => Promise<void> | undefined} restore
 * @property {() => Promise<void>} erase
 * @property {() => void} drop forgets who the visitor was: the next use begins with what the browser holds then
 */

/** @typedef {import('./views/panel.js').Server & Reach} Connection */

/**
 * Build the chat into the launcher's frame.
 *
 * @param {ChatParts} launcher
 * @returns {Promise<Chat>}
 */
export async function createChat(launcher) {
  const { host, given, endpoint: home, show } = launcher;
  const { title, greeting, theme, accent } = given;
  const locale = pickLocale([given.locale, document.documentElement.lang, ...navigator.languages], LOCALES);
  const words = await loadWords(locale, given.strings);
  // Made absolute here: the page may have a base address of its own.
  const address = /^(https?:|\/)/.test(given.endpoint) ? given.endpoint : home;
  const endpoint = new URL(address, location.href).href.replace(/\/+$/, '');
  const life = new AbortController();
  const { signal } = life;
  const store = createStore(initialState, reportError);
  const server = connect(endpoint, locale, store, signal);
  const onClose = () => show(false);
  const panel = createPanel({ ...launcher, theme, locale, words, server, signal, onClose });

  /**
   * Title, greeting and accent: the page's own, else those of the server, else ours.
   *
   * @param {Record<string, any>} config
   */
  function brand(config) {
    panel.brand(title || config.title || words.title, greeting || config.greeting || words.greeting);
    if (config.accent && !accent) host.style.setProperty('--chatbubble-accent', config.accent);
    return config;
  }

  store.subscribe(panel.update);
  panel.update(store.get());
  const restored = server.restore();
  const config = readConfig(endpoint, signal).then(brand);
  const known = { ...launcher, home, words, locale, endpoint, signal };
  /** @type {Running} */
  const chat = { ...known, store, server, panel, restored, config, fetchPart };
  const [extras] = ['extras', 'sync'].map(async (name) => (await fetchPart(name))?.start(chat));

  return {
    show: panel.show,
    run(verb, details) {
      if (verb === 'destroy') life.abort();
      else void extras?.then((part) => part?.run(verb, details));
    },
  };
}

/**
 * What the chat says: the page's own words, else those of a language, else English.
 *
 * @param {string} locale
 * @param {Record<string, string>} [own]
 * @returns {Promise<import('./types.js').Words>} to be added to
 */
async function loadWords(locale, own) {
  /** @type {import('./types.js').Words} */
  const words = { ...en };
  const texts = locale !== 'en' && (await fetchPart(locale))?.default;
  if (texts) Object.keys(en).forEach((key, at) => (words[key] = texts[at]));
  return Object.assign(words, own);
}

/**
 * The client, from its first use on: who the visitor is to the server is settled no sooner, so
 * nothing is stored for those who only look, and a tab that was opened early still shares the
 * session that another has begun meanwhile.
 *
 * @param {string} endpoint
 * @param {string} locale
 * @param {import('./types.js').Store<State>} store
 * @param {AbortSignal} signal ends requests, timers and listeners
 * @returns {Connection}
 */
function connect(endpoint, locale, store, signal) {
  /** @type {import('./types.js').Client | null} */
  let client = null;
  /** @type {Promise<void> | undefined} */
  let restored;

  function reach() {
    if (client) return client;
    const known = readSession(endpoint);
    client = createClient({
      endpoint,
      sessionId: (server.session = known ?? createSession(endpoint)),
      store,
      fetch: (...request) => fetch(...request),
      now: Date.now,
      random: Math.random,
      schedule,
      fetchPart,
      newId: createId,
      locale,
      // Without the query: what a shop keeps there is nobody's business.
      page: () => ({ url: location.origin + location.pathname, title: document.title }),
    });
    if (known) restored = client.restore();
    return client;
  }

  const resume = () => document.hidden || client?.resumeNow();
  for (const type of ['online', 'pageshow', 'visibilitychange']) window.addEventListener(type, resume, { signal });
  function drop() {
    client?.destroy();
    client = null;
  }

  signal.addEventListener('abort', drop);
  /** @type {Connection} */
  const server = {
    session: '',
    restore() {
      if (readSession(endpoint)) reach();
      return restored;
    },
    ask: (text, replaces) => void reach().ask(text, replaces),
    erase: () => reach().erase(),
    retry: (id) => void reach().retry(id),
    stop: () => client?.stop(),
    resumeNow: () => client?.resumeNow(),
    drop,
  };
  return server;
}
