/**
 * What a page's author is told about options and calls that cannot be used. A file of its own: a
 * page without mistakes never fetches it.
 */

/** @typedef {import('./types.js').Options} Options */

const SHOWN_LENGTH = 60;

/** What each option takes, and each verb. @type {Record<keyof Options | 'ask', string>} */
const WORDS = {
  ask: 'a text',
  endpoint: 'an address like https://chat.example/api/ai or /api/ai',
  locale: 'a language tag like en or zh-CN',
  title: 'a text',
  greeting: 'a text',
  accent: 'a colour like #0a7 or #00aa77',
  position: 'bottom-right or bottom-left',
  theme: 'auto, light or dark',
};

/**
 * A line for each name whose value cannot be used: what was expected, and what came.
 * @param {Readonly<Record<string, unknown>>} given values by name, in camelCase
 * @param {readonly string[]} wrong names of those that cannot be used
 * @param {(name: string) => string} [spell] how the page spells a name; by default as `data-` attribute
 * @returns {string}
 */
export function warningOf(given, wrong, spell = asAttribute) {
  return wrong.map((name) => `Chatbubble: ${spell(name)} ${faultOf(name, given[name])}.`).join('\n');
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function faultOf(name, value) {
  if (!Object.hasOwn(WORDS, name)) return 'is unknown';
  return `takes ${WORDS[/** @type {keyof Options} */ (name)]}, not ${shown(value)}`;
}

/** @param {string} name */
function asAttribute(name) {
  return `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** @param {unknown} value */
function shown(value) {
  if (value === null || value === undefined) return 'nothing';
  return typeof value === 'string' ? JSON.stringify(value.slice(0, SHOWN_LENGTH)) : `a value of type ${typeof value}`;
}
