/** @typedef {import('./types.js').Options} Options */

const SHOWN_LENGTH = 60;

/**
 * What each option may look like, how to say so, and its default.
 * @type {Record<keyof Options, [RegExp, string, string?]>}
 */
const SHAPES = {
  endpoint: [/^(https?:\/\/|\/)[^\s?#]*$/i, 'like https://chat.example/api/ai or /api/ai'],
  locale: [/^[a-z]{2,3}([-_][a-z0-9]{2,8})*$/i, 'like en or zh-CN'],
  title: [/./, 'a text'],
  greeting: [/./, 'a text'],
  accent: [/^#([0-9a-f]{3}){1,2}$/i, 'like #0a7 or #00aa77'],
  position: [/^bottom-(right|left)$/, 'bottom-right or bottom-left', 'bottom-right'],
  theme: [/^(auto|light|dark)$/, 'auto, light or dark', 'auto'],
};

/**
 * The options of a script tag (its `dataset`) or of `mount`. What is unknown or malformed is left
 * out and named in a warning; what is not given, or null, has its default.
 * @param {Readonly<Record<string, unknown>>} attributes names in camelCase
 * @param {(name: string) => string} [spell] how the page spells a name; by default as `data-` attribute
 * @returns {{options: Options, warnings: string[]}}
 */
export function readOptions(attributes, spell = asAttribute) {
  /** @type {Record<string, unknown>} */
  const options = {};
  /** @type {string[]} */
  const warnings = [];
  for (const [name, [, , standard = null]] of Object.entries(SHAPES)) options[name] = standard;
  for (const name of Object.keys(attributes)) {
    const value = attributes[name] ?? null;
    if (value === null) continue;
    if (!Object.hasOwn(SHAPES, name)) {
      warnings.push(`${spell(name)} is not an option of Chatbubble.`);
      continue;
    }
    const [shape, words] = SHAPES[/** @type {keyof Options} */ (name)];
    const text = typeof value === 'string' ? value.trim() : '';
    if (shape.test(text)) options[name] = name === 'endpoint' ? text.replace(/\/+$/, '') : text;
    else warnings.push(`${spell(name)} should be ${words}, not ${shown(value)}.`);
  }
  return { options: /** @type {any} */ (options), warnings };
}

/** @param {string} name */
function asAttribute(name) {
  return `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** @param {unknown} value */
function shown(value) {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, SHOWN_LENGTH)) : `a ${typeof value}`;
}
