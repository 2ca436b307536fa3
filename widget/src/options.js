/** @typedef {import('./types.js').Options} Options */

const SHOWN_LENGTH = 60;

/** @type {[RegExp, string]} */
const PIXELS = [/^\d{1,4}$/, 'a number of pixels like 24'];
/** @type {[RegExp, string]} */
const SHAPE = [/^path\((['"])[\da-z\s,.+-]+\1\)$/i, "a shape like path('M12 2 2 22h20z')"];

/**
 * What each option may look like, and each verb's text, and how to say so.
 * @type {Record<Exclude<keyof Options, 'strings'> | 'ask', [RegExp, string]>}
 */
const SHAPES = {
  // In code points, as the server counts them.
  ask: [/^[^]{1,4000}$/u, 'a text of at most 4,000 characters'],
  endpoint: [/^(https?:\/\/|\/)[^\s?#]*$/i, 'an address like https://chat.example/api/ai or /api/ai'],
  locale: [/^[a-z]{2,3}([-_][a-z\d]{2,8})*$/i, 'a language tag like en or zh-CN'],
  title: [/./, 'a text'],
  greeting: [/./, 'a text'],
  label: [/./, 'a text'],
  accent: [/^#([\da-f]{3}){1,2}$/i, 'a colour like #0a7 or #00aa77'],
  position: [/^(bottom|top)-(right|left)$/, 'bottom-right, bottom-left, top-right or top-left'],
  offsetX: PIXELS,
  offsetY: PIXELS,
  size: PIXELS,
  width: PIXELS,
  height: PIXELS,
  icon: SHAPE,
  avatar: SHAPE,
  theme: [/^(auto|light|dark)$/, 'auto, light or dark'],
  sound: [/^(on|off)$/, 'on or off'],
  container: [/./, 'a selector like #chat'],
  consent: [/^required$/, 'required'],
  page: [/^off$/, 'off'],
};

/**
 * What a page's author should know about the options of a script tag (its `dataset`), of `mount` or
 * of a call: a line for each that is unknown or malformed, and so has no effect. What is null or
 * undefined counts as not given, but to a call.
 * @param {Readonly<Record<string, unknown>>} given values by name, in camelCase
 * @param {(name: string) => string} [spell] how the page spells a name; by default as `data-` attribute
 * @returns {string[]}
 */
export function mistakesIn(given, spell = asAttribute) {
  return Object.entries(given).flatMap(([name, value]) => {
    const fault = faultOf(name, value);
    return fault ? `Chatbubble: ${spell(name)} ${fault}.` : [];
  });
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function faultOf(name, value) {
  if (name === 'strings') return isOfTexts(value) ? '' : `takes an object of texts, not ${shown(value)}`;
  if (!Object.hasOwn(SHAPES, name)) return 'is unknown';
  const [shape, words] = SHAPES[/** @type {keyof typeof SHAPES} */ (name)];
  if (value === null || value === undefined) return name === 'ask' ? `takes ${words}` : '';
  const isPlain = typeof value === 'string' || (typeof value === 'number' && shape === PIXELS[0]);
  return isPlain && shape.test(`${value}`.trim()) ? '' : `takes ${words}, not ${shown(value)}`;
}

/**
 * Only a script can give these: all values of a tag are texts.
 *
 * @param {unknown} value
 */
function isOfTexts(value) {
  const texts = value ?? {};
  return typeof texts === 'object' && Object.values(texts).every((text) => typeof text === 'string');
}

/** @param {string} name */
function asAttribute(name) {
  return `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** @param {unknown} value */
function shown(value) {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, SHOWN_LENGTH)) : `a value of type ${typeof value}`;
}
