/**
 * Two hundred accents at random: whatever a page picks, text and signs stay readable.
 */

import { all, answer, answered, ask, find, host, launcher, openPanel, ready, type } from './bubble.js';
import { equal, finish, group, ok, pause } from './report.js';

const TEXT = 4.5;
const SIGNS = 3;
const COUNT = 200;

const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });

/** A computed colour as it is painted: red, green and blue, 0 to 255. */
function paint(...layers) {
  canvas.clearRect(0, 0, 1, 1);
  for (const colour of layers) {
    canvas.fillStyle = '#123456';
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
  }
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

/** WCAG's relative luminance. */
function luminance(rgb) {
  const [red, green, blue] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((left, right) => left - right);
  return (light + 0.05) / (dark + 0.05);
}

const style = (element, property, pseudo) => getComputedStyle(element, pseudo).getPropertyValue(property);

/** A small generator, so that every run and engine tries the same colours. */
function createRandom(seed) {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

/** What has to be told apart: what it is, by how much, its colour and what it stands on. */
function pairs() {
  const link = answer().querySelector('a');
  const question = all('[part~=visitor-bubble]').at(-1);
  const send = find('[part~=send]');
  const avatar = all('[part~=assistant-avatar]')[0];
  const surface = style(find('dialog'), 'background-color');
  const under = style(link.closest('[part~=bubble], .bubble'), 'background-color');
  return [
    ['link', TEXT, [surface, under, style(link, 'color')], [surface, under]],
    ['question', TEXT, [style(question, 'color')], [style(question, 'background-color')]],
    ['send', SIGNS, [style(send, 'color')], [style(send, 'background-color')]],
    ['avatar', SIGNS, [style(avatar, 'color')], [style(avatar, 'background-color')]],
    ['launcher', SIGNS, [style(launcher(), 'color', '::before')], [style(launcher(), 'background-color')]],
    ['composer', SIGNS, [surface, style(find('[part~=composer]'), 'border-top-color')], [surface]],
  ];
}

async function setUp() {
  await openPanel();
  await ask('say: [Here](https://shop.example/a).');
  await answered();
  type('more');
  find('textarea').focus();
  ok(!find('[part~=send]').disabled, 'Send can be pressed');
  await pause(400);
}

function measure() {
  const random = createRandom(20_260_101);
  const faults = [];
  const least = {};
  const seen = new Set();
  for (let count = 0; count < COUNT; count++) {
    const accent = `#${Math.floor(random() * 0x1000000).toString(16).padStart(6, '0')}`;
    host().style.setProperty('--chatbubble-accent', accent);
    for (const [name, wanted, front, back] of pairs()) {
      const found = contrast(paint(...front), paint(...back));
      least[name] = Math.min(least[name] ?? 21, found);
      if (found < wanted) faults.push(`${accent} ${name} ${found.toFixed(2)}`);
      seen.add(`${name} ${front.join()}`);
    }
  }
  ok(seen.size > COUNT * 2, `the colours follow the accent: ${seen.size}`);
  equal(faults, [], `too little contrast; the least of each is ${JSON.stringify(least)}`);
}

await ready();
await group('set up', setUp);
await group('contrast', measure);
finish();
