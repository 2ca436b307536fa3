import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createMarkdown, MAX_TEXT } from '../../widget/src/markdown.js';
import { BLOCKS } from './fixtures/markdown_blocks.js';
import { INLINE } from './fixtures/markdown_inline.js';
import { createRecorder, outline } from './fixtures/outline.js';

function read(...pieces) {
  const { root, renderer } = createRecorder();
  const markdown = createMarkdown(renderer);
  for (const piece of pieces) markdown.push(piece);
  markdown.end();
  return outline(root);
}

/** What is shown of a text that goes on. */
function readOpen(text) {
  const { root, renderer } = createRecorder();
  createMarkdown(renderer).push(text);
  return outline(root);
}

for (const [topic, cases] of Object.entries({ ...INLINE, ...BLOCKS })) {
  describe(topic, () => {
    for (const [input, expected] of cases) {
      test(JSON.stringify(input), () => assert.equal(read(input), expected));
    }
  });
}

/** What is shown of a text at which no more has come yet. */
const OPEN = [
  ['Hello wor', 'p("Hello wor")'],
  ['Hello ', 'p("Hello")'],
  ['**Bold te', 'p(strong("Bold te"))'],
  ['**', ''],
  ['a *it', 'p("a ")'],
  ['a *it*', 'p("a ")'],
  ['a *it* ', 'p("a " em("it"))'],
  ['a `co', 'p("a ")'],
  ['a [li', 'p("a ")'],
  ['a [li]', 'p("a ")'],
  ['a [1] ', 'p("a [1]")'],
  ['a [li](java', 'p("a ")'],
  ['a [li](https://a.b)', 'p("a " a[https://a.b]("li"))'],
  ['a https://a.b/c', 'p("a ")'],
  ['a hello', 'p("a hello")'],
  ['a <b', 'p("a ")'],
  ['a <b c', 'p("a <b c")'],
  ['a &am', 'p("a ")'],
  ['a! ', 'p("a!")'],
  ['#', ''],
  ['# He', 'h[#]("He")'],
  ['-', ''],
  ['- a', 'ul(li(p("a")))'],
  ['12', ''],
  ['12. a', 'ol[12](li(p("a")))'],
  ['12 apples', 'p("12 apples")'],
  ['```js', ''],
  ['```js\n', 'pre[js]()'],
  ['```js\nlet', 'pre[js]("let")'],
  ['```js\nlet\n``', 'pre[js]("let")'],
  ['| a | b |\n', ''],
  ['| a | b |\n|--', ''],
  ['| a | b |\n|---|---|\n', 'table(tr(th("a") th("b")))'],
  ['| a | b |\n|---|---|\n| cell te', 'table(tr(th("a") th("b")) tr(td("cell te")))'],
  ['a\n', 'p("a")'],
  ['a\nb', 'p("a\\nb")'],
];

describe('what is held back', () => {
  for (const [input, expected] of OPEN) {
    test(JSON.stringify(input), () => assert.equal(readOpen(input), expected));
  }

  test('no stray mark holds back more than 256 characters', () => {
    for (const mark of ['*', '_', '`', '[', '![', '**/', '2*', '(**']) {
      assert.equal(readOpen(`${mark}a${'b'.repeat(300)}`), `p("${mark}a${'b'.repeat(300)}")`, mark);
    }
  });

  test('no address holds back more than 1,024 characters', () => {
    for (const start of ['[a](https://b.c/', 'https://b.c/', '<https://b.c/']) {
      assert.equal(readOpen(start + 'd'.repeat(1100)), `p("${start}${'d'.repeat(1100)}")`, start);
    }
  });

  test('no line holds back more than 1,000 characters', () => {
    for (const start of ['| a', '```js ', '~~~ js ']) {
      assert.equal(readOpen(start + 'b'.repeat(1100)).length, start.length + 1100 + 'p("")'.length, start);
    }
    assert.equal(readOpen(`-${' '.repeat(1100)}a`), 'ul(li(p("a")))');
    assert.equal(readOpen(`${'-'.repeat(1100)}a`), `p("${'-'.repeat(1100)}a")`);
  });

  test('emphasis of more than 256 characters is text, bold is not', () => {
    const long = 'a'.repeat(300);
    assert.equal(read(`*${long}*`), `p("*${long}*")`);
    assert.equal(read(`**${long}**`), `p(strong("${long}"))`);
  });
});

describe('limits', () => {
  const count = (text, what) => text.split(what).length - 1;

  test('quotes and lists go 16 deep, then their marks are text', () => {
    assert.equal(count(read(`${'>'.repeat(20)}a`), 'blockquote('), 16);
    assert.match(read(`${'>'.repeat(20)}a`), /"&?>>>>a"/);
    assert.equal(count(read(`${'- '.repeat(20)}a`), 'li('), 16);
    assert.match(read(`${'- '.repeat(20)}a`), /"- - - - a"/);
  });

  test('an item that follows at the deepest level is an item', () => {
    const lines = Array.from({ length: 16 }, (_, depth) => `${'  '.repeat(depth)}- a`);
    assert.equal(count(read(`${lines.join('\n')}\n${'  '.repeat(15)}- b`), 'li('), 17);
  });

  test('emphasis goes 16 deep, counting that around a link and its label', () => {
    const { counts, renderer } = createRecorder();
    const markdown = createMarkdown(renderer);
    const marks = '__a '.repeat(12);
    markdown.push(`${marks}[${marks}](https://a.b) ${'***a '.repeat(12)}`);
    assert.ok(counts.depth > 12 && counts.depth <= 1 + 16, `${counts.depth} deep`);
  });

  test('a table shows 50 rows and 20 columns, and says that there is more', () => {
    const table = (rows, columns) => `${'| a '.repeat(columns)}|\n${'|---'.repeat(columns)}|\n${
      `${'| b '.repeat(columns)}|\n`.repeat(rows)}`;
    const counts = (text) => [count(text, 'tr('), count(text, 'th('), count(text, 'td('), count(text, 'notice(')];
    assert.deepEqual(counts(read(table(50, 20))), [51, 20, 1000, 0]);
    assert.deepEqual(counts(read(table(51, 2))), [51, 2, 100, 1]);
    assert.deepEqual(counts(read(table(2, 21))), [3, 20, 40, 1]);
    assert.match(read(`${table(51, 1)}\nend`), /\) notice\(\) p\("end"\)$/);
  });

  test('the table after a cut one is whole', () => {
    const text = `| a |\n|---|\n${'| b |\n'.repeat(60)}\n| c |\n|---|\n| d |`;
    assert.match(read(text), /table\(tr\(th\("c"\)\) tr\(td\("d"\)\)\)$/);
  });

  test('64 KB of text are shown, and a notice for the rest', () => {
    assert.equal(read('a'.repeat(MAX_TEXT)), `p("${'a'.repeat(MAX_TEXT)}")`);
    assert.equal(read('a'.repeat(MAX_TEXT + 1)), `p("${'a'.repeat(MAX_TEXT)}") notice()`);
    assert.equal(read('a'.repeat(MAX_TEXT), 'b', 'c'), `p("${'a'.repeat(MAX_TEXT)}") notice()`);
  });

  test('the notice stands behind what was open', () => {
    assert.match(read(`- **${'a'.repeat(MAX_TEXT)}`), /a"\)\)\)\) notice\(\)$/);
  });

  test('a surrogate pair at the limit is not cut in two', () => {
    const text = `${'a'.repeat(MAX_TEXT - 1)}😀b`;
    assert.equal(read(text), `p("${'a'.repeat(MAX_TEXT - 1)}") notice()`);
    assert.equal(read(...text.match(/[^]/g)), read(text));
  });
});

test('half a surrogate pair waits for its other half, and is nothing without it', () => {
  assert.equal(readOpen('a\ud83d'), 'p("a")');
  assert.equal(read('a\ud83d', '\ude00b'), 'p("a😀b")');
  assert.equal(read('a\ud83d'), 'p("a")');
  assert.equal(read('a\ud83d', 'b\ude00c'), 'p("abc")');
});

test('what comes after the end is ignored', () => {
  const { root, renderer } = createRecorder();
  const markdown = createMarkdown(renderer);
  markdown.push('a');
  markdown.end();
  markdown.push('b');
  markdown.end();
  assert.equal(outline(root), 'p("a")');
});

test('the renderer is told text once a piece, not once a character', () => {
  const { counts, renderer } = createRecorder();
  createMarkdown(renderer).push('Several words in one piece, with 1 number.');
  assert.equal(counts.text, 1);
});
