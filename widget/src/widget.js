/**
 * The chat itself, put together: options -> store, client, views. Fetched on the visitor's first
 * sign of interest; the launcher is there already.
 */

import { createClient } from './client.js';
import { readConfig } from './config.js';
import { initialState } from './conversation.js';
import { schedule } from './dom.js';
import { fetchPart } from './parts.js';
import { createId, keepSession, readSession } from './storage.js';
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
 * What the visitor and the page can have done, by the client that all tabs share or, where that did
 * not come, by one of this tab. `session`: who the visitor is, null before the first question;
 * `drop` forgets who it was, in all tabs; `identify` has the server read who it is. `takeBack` is there once the tabs'
 * client is.
 *
 * @typedef {import('./views/panel.js').Server & {
 *   erase: () => Promise<void>,
 *   drop: () => Promise<void> | undefined,
 *   identify: (token: string) => Promise<void>,
 *   takeBack?: (requestId: string) => void,
 *   session: string | null,
 *   createOwn: (sessionId: string, more?: Partial<import('./types.js').ClientOptions>) => import('./types.js').Client,
 *   destroy: () => void,
 * }} Server
 */

/**
 * What the parts that are fetched later work with. `restored` resolves once `onTold` was called: the
 * conversation of earlier is in the state, or there is none.
 *
 * @typedef {ChatParts & {
 *   home: string,
 *   endpoint: string,
 *   words: import('./types.js').Words,
 *   locale: string,
 *   signal: AbortSignal,
 *   store: import('./types.js').Store<State>,
 *   server: Server,
 *   panel: import('./views/panel.js').Panel,
 *   restored: Promise<void>,
 *   onTold: () => void,
 *   config: Promise<Record<string, any>>,
 *   fetchPart: (name: string) => Promise<any>,
 * }} Running
 */

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
  const server = connect(endpoint, given, locale, store, async () => (await sync) ?? (sync = start('sync')));
  const panel = createPanel({ ...launcher, theme, locale, words, server, signal, onClose: () => show(false) });

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
  const config = readConfig(endpoint, signal).then(brand);
  /** @type {() => void} */
  let onTold = () => {};
  const restored = /** @type {Promise<void>} */ (new Promise((resolve) => (onTold = resolve)));
  const known = { ...launcher, home, words, locale, endpoint, signal };
  /** @type {Running} */
  const chat = { ...known, store, server, panel, restored, onTold, config, fetchPart };
  /** @param {string} name */
  const start = async (name) => {
    const part = await fetchPart(name);
    // A chat may be gone before its parts have come.
    return signal.aborted ? undefined : part?.start(chat);
  };
  const extras = start('extras');
  let sync = start('sync');
  // At the same time, not one after the other: the line may be cut before the extras ask for them.
  ['actions', 'menu'].forEach((name) => void fetchPart(name));
  signal.addEventListener('abort', server.destroy);
  return {
    show: panel.show,
    run(verb, details) {
      if (verb === 'destroy') life.abort();
      else void extras.then((part) => part?.run(verb, details));
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
 * What asks the server. A client is made no sooner than it is used: nothing is stored for those who
 * only look.
 *
 * @param {string} endpoint
 * @param {Readonly<Record<string, any>>} given the options
 * @param {string} locale
 * @param {import('./types.js').Store<State>} store
 * @param {() => Promise<import('./sync/shared.js').Shared | undefined>} share fetches the part again if need be
 * @returns {Server}
 */
function connect(endpoint, given, locale, store, share) {
  /** @type {import('./types.js').Client | undefined} */
  let own;
  const reach = async () =>
    own ??
    (await share()) ??
    (own ??= server.createOwn((server.session = readSession(endpoint) ?? keepSession(endpoint))));
  /** @type {Server} */
  const server = {
    session: null,
    createOwn: (sessionId, more) =>
      createClient({
        endpoint,
        sessionId,
        store,
        now: Date.now,
        random: Math.random,
        schedule,
        // A change of the state costs more than its text. Nobody sees the difference: the typewriter rests longer.
        restMs: 33,
        fetchPart,
        newId: createId,
        locale,
        // Without the query: what a shop keeps there is nobody's business.
        page: () =>
          given.page === 'off' ? undefined : { url: location.origin + location.pathname, title: document.title },
        ...more,
      }),
    ask: async (text, replaces) => void (await reach()).ask(text, replaces),
    retry: async (id) => void (await reach()).retry(id),
    stop: async () => (await reach()).stop(),
    resumeNow: async () => (await reach()).resumeNow(),
    erase: async () => (await reach()).erase(),
    drop: async () => (await share())?.drop(),
    identify: async (token) => (await share())?.identify(token),
    destroy: () => own?.destroy(),
  };
  return server;
}
