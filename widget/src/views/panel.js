import { adopt } from '../dom.js';
import { createComposer } from './composer.js';
import { createHeader } from './header.js';
import { createStatus } from './status.js';
import { createTranscript } from './transcript.js';
import answer from '../styles/answer.css';
import composerCss from '../styles/composer.css';
import dark from '../styles/dark.css';
import light from '../styles/light.css';
import messageCss from '../styles/message.css';
import panelCss from '../styles/panel.css';
import transcriptCss from '../styles/transcript.css';

const CHAT = light + panelCss + transcriptCss + messageCss + answer + composerCss;
const PREFERS_DARK = '(prefers-color-scheme: dark)';

/**
 * @typedef {object} Panel
 * @property {(state: import('../types.js').State) => void} update
 * @property {(isOpen: boolean, takesFocus: boolean) => void} show the frame was opened or closed
 * @property {import('./header.js').Header} header
 * @property {import('./composer.js').Composer} composer
 * @property {import('./transcript.js').Transcript} transcript
 * @property {(title: string, greeting: string) => void} brand
 */

/**
 * What the visitor can have done.
 *
 * @typedef {object} Server
 * @property {(text: string, replaces?: string) => void} ask `replaces` is the `requestId` of an earlier question
 * @property {(id: string) => void} retry asks the question of a failed answer again
 * @property {() => void} stop ends the running answer
 * @property {() => void} resumeNow tries at once to reach the server again
 */

/**
 * @typedef {object} Shell
 * @property {ShadowRoot} root
 * @property {HTMLButtonElement} button the launcher
 * @property {HTMLElement} frame the panel's box
 * @property {string} locale
 * @property {import('../types.js').Options['theme'] | undefined} theme
 * @property {() => void} onClose
 * @property {import('../types.js').Words} words
 * @property {Server} server
 * @property {AbortSignal} signal ends what reaches beyond the panel's own nodes: observers, timers, page listeners
 */

/**
 * Fill the launcher's frame with all that the visitor sees and uses.
 *
 * @param {Shell} shell
 * @returns {Panel}
 */
export function createPanel(shell) {
  const { root, button, frame, words, server, signal, onClose } = shell;
  const header = createHeader(words, onClose);
  const composer = createComposer(words, server.ask, server.stop);
  const status = createStatus(words, server.resumeNow);
  const transcript = createTranscript({ words, onRetry }, signal);

  dress(shell);
  frame.replaceChildren(header.element, ...transcript.elements, status.element, composer.element);
  listenToKeys(root, onClose);

  /** @param {string} id */
  function onRetry(id) {
    // The button goes with the failed answer, and would take the focus with it.
    focus();
    server.retry(id);
  }

  function focus() {
    // On a phone the keyboard would cover what the visitor came to see; one that is not on the screen covers nothing.
    const isTapped = matchMedia('(pointer: coarse)').matches && !button.matches(':focus-visible');
    if (isTapped) frame.focus({ preventScroll: true });
    else composer.focus();
  }

  return {
    header,
    composer,
    transcript,
    brand(title, greeting) {
      header.title.textContent = title;
      frame.setAttribute('aria-label', title);
      transcript.greet(greeting);
    },
    update(state) {
      transcript.update(state);
      status.update(state);
      composer.update(Boolean(state.turn && !state.turn.isStopped));
    },
    show(isOpen, takesFocus) {
      if (!isOpen && frame.contains(root.activeElement)) button.focus({ preventScroll: true });
      if (isOpen && takesFocus) focus();
    },
  };
}

/** @param {Shell} shell */
function dress({ root, frame, locale, theme, words }) {
  adopt(root, CHAT);
  // Always there: the page may change the theme later.
  adopt(root, dark, { media: theme === 'dark' ? 'all' : theme === 'light' ? 'not all' : PREFERS_DARK });
  frame.lang = locale;
  frame.tabIndex = -1;
  frame.dir = words.dir;
}

/**
 * @param {ShadowRoot} root
 * @param {() => void} onEscape
 */
function listenToKeys(root, onEscape) {
  /** @param {Event} event */
  const onKey = (event) => {
    // Seen from the page, these keys are not typed into a text field: its shortcuts would act on them.
    event.stopPropagation();
    const { type, key, isComposing, keyCode } = /** @type {KeyboardEvent} */ (event);
    if (type === 'keydown' && key === 'Escape' && !isComposing && keyCode !== 229) onEscape();
  };
  for (const type of ['keydown', 'keypress', 'keyup']) root.addEventListener(type, onKey);
}
