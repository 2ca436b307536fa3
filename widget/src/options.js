/** @typedef {import('./types.js').Options} Options */

const COLOR = /^#([\da-f]{3}){1,2}$/i;

/**
 * What each option may look like. Why a value is none, and how to write it, is told by warnings.js.
 * @type {Record<keyof Options, RegExp>}
 */
const SHAPES = {
  endpoint: /^(https?:\/\/|\/)[^\s?#]*$/i,
  locale: /^[a-z]{2,3}([-_][a-z\d]{2,8})*$/i,
  title: /./,
  greeting: /./,
  accent: COLOR,
  position: /^bottom-(right|left)$/,
  theme: /^(auto|light|dark)$/,
};

/**
 * The options of a script tag (its `dataset`) or of `mount`. What is unknown or malformed is left
 * out; what is not given has no value, and neither has what is null.
 * @param {Readonly<Record<string, unknown>>} attributes names in camelCase
 * @returns {{options: Partial<Options>, wrong: string[]}} `wrong` names what was left out
 */
export function readOptions(attributes) {
  /** @type {Record<string, string>} */
  const options = {};
  const names = Object.keys(attributes).filter((name) => (attributes[name] ?? null) !== null);
  const wrong = names.filter((name) => {
    const value = attributes[name];
    const text = typeof value === 'string' ? value.trim() : '';
    const isRight = Object.hasOwn(SHAPES, name) && SHAPES[/** @type {keyof Options} */ (name)].test(text);
    if (isRight) options[name] = name === 'endpoint' ? text.replace(/\/+$/, '') : text;
    return !isRight;
  });
  return { options, wrong };
}
