import { wasRunning } from './storage.js';
import css from './styles/launcher.css';

/** @typedef {import('./widget.js').Chat} Chat */

/**
 * Commands the bubble: `run('ask', 'Do you ship to Norway?')`. Any verb may be used at once: what
 * needs the chat waits until it was fetched.
 *
 * @typedef {(verb: string, ...details: any[]) => void} Run
 */

/**
 * Put the bubble on the page: the launcher now; the chat on the first sign of interest, or at once when it fills an
 * element of the page's or an answer was running as the last page was left. Every page pays for each byte of this.
 *
 * @param {Readonly<Record<string, any>>} given the options; `mistakesIn` checks them once the chat was fetched
 * @param {string} script this very script's address: the server's routes and the chat are beside it
 * @param {() => void} [onDestroy]
 * @param {(name: string) => string} [spell] how the page spells an option's name
 * @returns {Run}
 */
export function launch(given, script, onDestroy, spell) {
  // `widget.js` itself, or the same file under its hashed name.
  const endpoint = script.replace(/(assets\/)?[^/]*$/, '');
  const { container, label = 'Chat' } = given;
  const host = document.createElement('chat-bubble');
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  const button = make('button', 'launcher');
  const frame = make('dialog', 'panel');
  const retry = make('button', 'retry');
  // Reports once in the next frame, and when the panel's box is no longer on the page, however it was taken away.
  const observer = new IntersectionObserver(place);
  // Whatever it says: rather one time too many than too few.
  let isHeld = given.consent;
  let isOpen = false;
  /** @type {(chat: Chat) => void} */
  let arrive;
  /** @type {Promise<Chat>} */
  const chat = new Promise((resolve) => (arrive = resolve));

  /**
   * @template {keyof HTMLElementTagNameMap} T
   * @param {T} tag
   * @param {string} name
   */
  function make(tag, name) {
    const element = document.createElement(tag);
    element.className = element.part = name;
    element.setAttribute('aria-label', label);
    return element;
  }

  function compose() {
    // What the style sheet knows is found there by its name.
    for (const [name, value] of Object.entries(given)) {
      host.style.setProperty(`--chatbubble-${name}`, /^\d+$/.test(value) ? `${value}px` : value ?? '');
    }
    // Of `rtl`, in whose pages it stands at the left, there is the `l`.
    host.dataset.at = given.position ?? document.dir[2];
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    if (!container) root.append(button);
    root.append(frame);
    frame.append(retry);
    retry.append('\u21bb');
    button.onpointerenter = button.onfocus = retry.onclick = load;
    button.onclick = () => show(!isOpen);
    place();
  }

  /** An async script may run before the page's body is there, and a page may swap its body, many times a frame. */
  function place() {
    if (host.isConnected) return;
    document.querySelector(container || 'body')?.append(host);
    // Observed anew, so that it reports once again in any case.
    observer.disconnect();
    observer.observe(frame);
  }

  async function load() {
    // Disabled while the chat is on its way, and once it is there.
    if (isHeld || retry.disabled) return;
    retry.disabled = true;
    try {
      // A browser may remember for good that a module failed to load, under its whole address.
      const module = await import(`${endpoint}${CHAT_URL}#${Date.now()}`);
      if (!isHeld) arrive(await module.createChat({ host, root, button, frame, given, endpoint, spell, show }));
    } catch (error) {
      retry.disabled = false;
      console.warn(error);
    }
  }

  /**
   * @param {boolean} wish
   * @param {boolean} [takesFocus]
   */
  function show(wish, takesFocus = true) {
    isOpen = Boolean(container) || wish;
    button.setAttribute('aria-expanded', `${isOpen && !isHeld}`);
    if (isOpen) load();
    // Asked again once the chat is there: the visitor may have closed it meanwhile.
    chat.then((present) => present.show(isOpen, takesFocus));
  }

  function start() {
    show(isOpen, false);
    // The first look into a storage holds a page up for some milliseconds. A visitor who has just come to this site,
    // and did not reload or go back, has left nothing there.
    if (isHeld || !(performance.navigation.type || document.referrer.match(location.host))) return;
    if (wasRunning(endpoint)) load();
  }

  compose();
  start();

  return (verb, ...details) => {
    if (verb === 'open' || verb === 'ask') show(true);
    if (verb === 'close') show(false);
    if (verb === 'toggle') show(!isOpen);
    if (verb === 'consent') {
      isHeld = !details[0];
      start();
    }
    if (verb === 'destroy') {
      isHeld = true;
      observer.disconnect();
      host.remove();
      onDestroy?.();
    }
    // Send, update and reset.
    if (/^(se|[ur])/.test(verb)) load();
    chat.then((present) => present.run(verb, details));
  };
}
