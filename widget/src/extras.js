/**
 * What can wait until the chat is there: how it is told to a screen reader and fitted to a phone's
 * keyboard, what the page may command, and what its author should know.
 */

import { createAnnouncer } from './extras/announcer.js';
import { listenToKeys } from './extras/keys.js';
import { fitViewport } from './extras/viewport.js';
import { mistakesIn } from './options.js';
import { more } from './strings/en.js';
import { LONGEST_QUESTION } from './views/composer.js';

/** @typedef {import('./widget.js').Running} Running */

/**
 * @typedef {object} Extras
 * @property {(verb: string, details: any[]) => void} run obeys the page
 */

/**
 * @param {Running} chat
 * @returns {Extras}
 */
export function start(chat) {
  const { root, frame, given, spell, words, panel, server, signal } = chat;
  warn(given, spell);
  void addWords(chat);
  createAnnouncer(root, frame, words, signal);
  listenToKeys(chat);
  fitViewport(frame, signal);
  return {
    run(verb, [detail]) {
      if (verb === 'ask' && typeof detail === 'string') panel.composer.ask(detail);
      else if (verb === 'stop') server.stop();
      else warn({ [verb]: detail }, String);
    },
  };
}

/**
 * The words of later: the page's own, else in the chat's language, else in English.
 *
 * @param {Running} chat
 */
async function addWords({ given, locale, words, fetchPart }) {
  /** @type {string[]} */
  const texts = (locale !== 'en' && (await fetchPart(`${locale}.more`))?.default) || Object.values(more);
  Object.keys(more).forEach((keys, at) => {
    for (const key of keys.split(' ')) words[key] = `${texts[at]}`;
  });
  Object.assign(words, given.strings);
  words.tooLong = `${words.tooLong}`.replace('{limit}', new Intl.NumberFormat(locale).format(LONGEST_QUESTION));
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
