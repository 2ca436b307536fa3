import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const STYLES = new URL('../../widget/src/styles/', import.meta.url);

/** Where a side of the screen is meant, or of the page's choosing, and not one of the text. */
const SIDES = {
  // The corner that the page gave, or the mirrored one of a mirrored page.
  'launcher.css': /^(right|left|inset)/,
  // Of a table's column, as the answer has it; of a title, beside the avatar. The corners are mirrored by hand.
  'answer.css': /^text-align: right/,
  // An arrow that points down.
  'actions.css': /^border-width/,
  'bidi.css': /^(text-align|border-radius)/,
};

/** Declarations that say left or right, or give the two sides different lengths. */
function sidesOf(css) {
  const declarations = css.replaceAll(/\/\*.*?\*\//gs, '').match(/[-\w]+:[^;{}]+(?=;)/g) ?? [];
  return declarations.filter((declaration) => {
    const [name, value] = declaration.split(/:\s*/);
    if (/\b(left|right)\b/.test(declaration)) return true;
    if (!/^(margin|padding|inset|border-width)$/.test(name)) return false;
    const [, right, , left = right] = value.replaceAll(/\((?:[^()]|\([^()]*\))*\)| ?!important/g, '').split(/\s+/);
    return right !== left;
  });
}

test('a side of the screen is told from a side of the text', () => {
  assert.deepEqual(sidesOf('a{margin-left:1px;}'), ['margin-left:1px']);
  assert.deepEqual(sidesOf('a{padding: 1px 2px 3px 4px;}'), ['padding: 1px 2px 3px 4px']);
  assert.deepEqual(sidesOf('a{padding: 1px 2px 3px; margin-inline: 1px 2px;}'), []);
});

for (const name of readdirSync(STYLES)) {
  test(`${name} mirrors itself`, () => {
    const sides = sidesOf(readFileSync(new URL(name, STYLES), 'utf8'));
    assert.deepEqual(sides.filter((declaration) => !SIDES[name]?.test(declaration)), []);
  });
}
