/**
 * What can wait until the chat is there: how it is told to a screen reader and fitted to a phone's
 * keyboard, what the page may command, and what its author should know.
 */

import { adopt } from './dom.js';
import { createAnnouncer } from './extras/announcer.js';
import { createApi } from './extras/api.js';
import { listenToKeys } from './extras/keys.js';
import { dressUp } from './extras/looks.js';
import { fitViewport } from './extras/viewport.js';
import { mistakesIn } from './options.js';
import { more } from './strings/en.js';
import css from './styles/extras.css';
import { LONGEST_QUESTION } from './views/composer.js';

/** @typedef {import('./widget.js').Running} Running */

/** @typedef {Running & {say: (text: string) => void}} Speaking with what tells a screen reader */

/**
 * @typedef {object} Extras
 * @property {(verb: string, details: any[]) => void} run obeys the page
 */

/** The launcher has done it. */
const OBEYED = /^(open|close|toggle|consent)$/;

/**
 * @param {Running} chat
 * @returns {Extras}
 */
export function start(chat) {
  const { root, frame, given, spell, words, panel, signal } = chat;
  warn(given, spell);
  adopt(root, css);
  dressUp(chat);
  const say = createAnnouncer(root, frame, words, signal);
  void addMore({ ...chat, say });
  listenToKeys(chat);
  fitViewport(frame, signal);
  const obey = createApi(chat, (text) => askAsTyped(panel.composer.element, text));
  return {
    run(verb, details) {
      if (!OBEYED.test(verb)) obey(verb, details);
    },
  };
}

/**
 * Ask as if the visitor had typed it, then put back what they had begun to write.
 *
 * @param {HTMLElement} composer
 * @param {string} text
 */
function askAsTyped(composer, text) {
  const [input] = composer.getElementsByTagName('textarea');
  const [send] = composer.getElementsByClassName('send');
  if (!input) return;
  const draft = input.value;
  // Nor does it take the place of one that the visitor is editing.
  delete composer.dataset.replaces;
  /** @param {string} value */
  const write = (value) => {
    input.value = value;
    input.dispatchEvent(new Event('input'));
  };
  write(text);
  /** @type {HTMLButtonElement} */ (send).click();
  if (!input.value.trim()) write(draft);
}

/**
 * The words, and then the parts that need them to begin with.
 *
 * @param {Speaking} chat
 */
async function addMore(chat) {
  const parts = ['actions', 'menu'].map(chat.fetchPart);
  await addWords(chat);
  for (const part of parts) {
    const { start: begin } = (await part) ?? {};
    if (!chat.signal.aborted) begin?.(chat);
  }
}

/**
 * The words of later: the page's own, else in the chat's language, else in English.
 *
 * @param {Running} chat
 */
async function addWords({ given, locale, words, store, panel, fetchPart }) {
  /** @type {string[]} */
  const texts = (locale !== 'en' && (await fetchPart(`${locale}.more`))?.default) || Object.values(more);
  Object.keys(more).forEach((keys, at) => {
    for (const key of keys.split(' ')) words[key] = `${texts[at]}`;
  });
  Object.assign(words, given.strings);
  words.tooLong = `${words.tooLong}`.replace('{limit}', new Intl.NumberFormat(locale).format(LONGEST_QUESTION));
  // What is shown already may be said better now.
  store.set({ ...store.get() });
  panel.composer.element.querySelector('textarea')?.dispatchEvent(new Event('input'));
}

/**
 * Tell the page's author what has no effect.
 *
 * @param {Readonly<Record<string, unknown>>} given
 * @param {(name: string) => string} [spell]
 */
function warn(given, spell) {
  const mistakes = mistakesIn(given, spell);
  if (mistakes[0]) console.warn(mistakes.join('\n'));
}
