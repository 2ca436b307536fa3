/**
 * Changes how the chat looks and what it says while it is there.
 */

import { mistakesIn } from '../options.js';
import { LONGEST_QUESTION } from '../views/composer.js';

/** @typedef {import('../widget.js').Running} Running */
/** @typedef {Readonly<Record<string, any>>} Changes */

/** By which media the sheet for the dark applies under each theme. @type {Readonly<Record<string, string>>} */
const DARK = { auto: '(prefers-color-scheme: dark)', dark: 'all', light: 'not all' };
/** Where words of ours stand, besides text. */
const SPOKEN = ['aria-label', 'placeholder', 'title'];

/**
 * @param {Running} chat
 * @returns {(changes: Changes) => string} makes the changes that can be made, and returns what is wrong with the others
 */
export function createWardrobe(chat) {
  const { host, root, frame, given, words, locale, panel, config } = chat;
  /** What the page wished for, at first and since. @type {Record<string, any>} */
  const worn = { ...given };
  /** @type {Set<string>} */
  const changed = new Set();
  /** What the server's operator has set, once it is known. @type {Record<string, any>} */
  let common = {};

  function brand() {
    const { title, greeting } = worn;
    panel.brand(title || common.title || words.title, greeting || common.greeting || words.greeting);
  }

  /** @type {Readonly<Record<string, (value: any) => void>>} */
  const wear = {
    title: brand,
    greeting: brand,
    accent: (value) => host.style.setProperty('--chatbubble-accent', value || common.accent || ''),
    theme(value) {
      // No colour scheme is called auto, and what is none changes nothing.
      frame.style.colorScheme = value === 'auto' ? '' : (value ?? '');
      const sheet = root.adoptedStyleSheets.find(({ media }) => Object.values(DARK).includes(media.mediaText));
      if (sheet) sheet.media.mediaText = DARK[value ?? 'auto'] ?? '';
    },
    position(value) {
      if (value) host.dataset.at = value;
      else delete host.dataset.at;
    },
    strings(value) {
      const limit = new Intl.NumberFormat(locale).format(LONGEST_QUESTION);
      const texts = Object.entries(value ?? {}).map(([key, text]) => [key, text.replace('{limit}', limit)]);
      reword(root, words, Object.fromEntries(texts));
      brand();
    },
  };

  void config.then((known) => {
    common = known;
    // The chat has dressed by the server's answer now, without knowing what was changed before.
    for (const name of changed) wear[name]?.(worn[name]);
  });

  return (changes) => {
    if (typeof changes !== 'object' || !changes) return 'Chatbubble: update takes an object of options.';
    /** @type {string[]} */
    const mistakes = [];
    for (const [name, value] of Object.entries(changes)) {
      const mistake = mistakeIn(name, value, wear, words);
      if (mistake) mistakes.push(mistake);
      else {
        changed.add(name);
        worn[name] = value;
        wear[name]?.(value);
      }
    }
    return mistakes.join('\n');
  };
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {object} wear
 * @param {object} words
 */
function mistakeIn(name, value, wear, words) {
  if (name === 'strings') return mistakeInStrings(value, words);
  const [mistake] = mistakesIn({ [name]: value }, String);
  return mistake ?? (Object.hasOwn(wear, name) ? '' : `Chatbubble: ${name} cannot be changed by update.`);
}

/**
 * @param {unknown} value
 * @param {object} words
 */
function mistakeInStrings(value, words) {
  if (typeof value !== 'object') return 'Chatbubble: strings takes an object of texts.';
  /** @param {[string, unknown]} entry */
  const isWrong = ([key, text]) => !Object.hasOwn(words, key) || typeof text !== 'string';
  const wrong = Object.entries(value ?? {}).find(isWrong);
  return wrong ? `Chatbubble: strings has no text ${wrong[0]}, or it is none.` : '';
}

/**
 * Say some words in others from now on, and where they stand already. What visitor and assistant have
 * written is left alone, even where it is one of our words.
 *
 * @param {ShadowRoot} root
 * @param {Record<string, string>} words
 * @param {Readonly<Record<string, string>>} changes
 */
function reword(root, words, changes) {
  /** @type {Map<string | null, string>} */
  const replacements = new Map(Object.entries(changes).map(([key, text]) => [`${words[key]}`, text]));
  Object.assign(words, changes);
  for (const element of root.querySelectorAll('*')) {
    for (const name of SPOKEN) {
      const text = replacements.get(element.getAttribute(name));
      if (text !== undefined) element.setAttribute(name, text);
    }
    if (element.closest('.bubble') && !element.matches('.bubble button')) continue;
    for (const node of element.childNodes) {
      const text = node.nodeType === Node.TEXT_NODE ? replacements.get(node.nodeValue) : undefined;
      if (text !== undefined) node.nodeValue = text;
    }
  }
}
