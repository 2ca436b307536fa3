import { make } from './dom.js';
import { wasRunning } from './storage.js';
import { pickWords } from './strings/launcher.js';
import { createLauncher } from './views/launcher.js';

/** @typedef {import('./widget.js').Chat} Chat */

/**
 * Commands the bubble: `run('ask', 'Do you ship to Norway?')`. Any verb may be used at once: what
 * needs the chat waits until it was fetched.
 *
 * @typedef {(verb: string, ...details: any[]) => void} Run
 */

/**
 * Put the bubble on the page: the launcher now; the chat on the first sign of interest, or at once
 * when an answer was running as the last page was left.
 *
 * @param {object} parts
 * @param {Readonly<Record<string, any>>} parts.given the options; `readOptions` checks them and warns once the chat
 *   was fetched
 * @param {string} parts.script this very script's address: the server's routes and the chat are beside it
 * @param {(name: string) => string} [parts.spell] how the page spells an option's name
 * @param {() => void} [parts.onDestroy]
 * @returns {Run}
 */
export function launch({ given, script, spell, onDestroy }) {
  // `widget.js` itself, or the same file under its hashed name.
  const endpoint = script.replace(/(assets\/)?[^/]*$/, '');
  const { position, theme, accent, locale } = given;
  const [label, failure] = pickWords([locale, document.documentElement.lang, ...navigator.languages]);
  // A failure is told, and tried again, when the visitor really opens the panel.
  const launcher = createLauncher(label, () => preload().catch(forget), toggle);
  const { host, button, frame } = launcher;
  let isOpen = false;
  let isDone = false;
  let attempts = 0;
  /** @type {Promise<typeof import('./widget.js')> | null} */
  let loading = null;
  /** @type {(chat: Chat | Promise<Chat>) => void} */
  let arrive;
  /** @type {Promise<Chat>} */
  const chat = new Promise((resolve) => (arrive = resolve));

  function preload() {
    // A browser may remember for good that a module failed to load, under its whole address.
    loading ??= import(`${endpoint}${CHAT_URL}#${attempts++}`);
    return /** @type {Promise<typeof import('./widget.js')>} */ (loading);
  }

  function forget() {
    loading = null;
  }

  /** Built once, and not after the end. */
  async function build() {
    if (isDone) return;
    frame.replaceChildren('…');
    try {
      const { createChat } = await preload();
      if (isDone) return;
      isDone = true;
      arrive(createChat({ ...launcher, given, endpoint, spell, show }));
    } catch (error) {
      console.warn('Chatbubble did not load:', error);
      const retry = make('button', '', {}, failure);
      retry.addEventListener('click', build);
      frame.replaceChildren(retry);
      forget();
    }
  }

  /**
   * @param {boolean} wish
   * @param {boolean} [takesFocus]
   */
  function show(wish, takesFocus = true) {
    isOpen = wish;
    button.setAttribute('aria-expanded', `${wish}`);
    if (wish) build();
    // Asked again once the chat is there: the visitor may have closed it meanwhile.
    chat.then((present) => present.show(isOpen, takesFocus));
  }

  function toggle() {
    show(!isOpen);
  }

  // Wrong values have no effect here, and are named later.
  if (position === 'bottom-left') host.dataset.position = position;
  frame.style.colorScheme = theme ?? '';
  if (/^#([\da-f]{3}){1,2}$/i.test(accent)) host.style.setProperty('--chatbubble-accent', accent);
  show(false);
  // An async script may run before the page's body is there.
  (document.body ?? document.documentElement).append(host);
  if (wasRunning(endpoint)) build();

  return (verb, ...details) => {
    if (verb === 'open') return show(true);
    if (verb === 'close') return show(false);
    if (verb === 'toggle') return toggle();
    if (verb === 'ask') show(true);
    if (verb === 'destroy') {
      isDone = true;
      host.remove();
      onDestroy?.();
    }
    if (/^(send|update|reset)$/.test(verb)) build();
    chat.then((present) => present.run(verb, details));
  };
}
