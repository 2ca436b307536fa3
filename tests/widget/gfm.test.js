import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { createMarkdown } from '../../widget/src/markdown.js';
import { GFM_TEXTS } from './fixtures/gfm_texts.js';
import { createRecorder, outline } from './fixtures/outline.js';

const { outlines } = JSON.parse(readFileSync(new URL('fixtures/gfm.json', import.meta.url), 'utf8'));

/** Where we differ from marked, and why. */
const DIFFERENCES = {
  'bold opens at once and lasts until its paragraph ends': [
    '**a', '**a\n\nb', '**a** and **b', '**bold\\**', '| a |\n|---|\n| **x |\n| y |',
  ],
  'there is no bold within bold, and a blank or sign on the wrong side of its mark does not matter': [
    '**a **b', '**Note:**text', '**Title: **text', '****a****', '**a****b**', '~~a ~~b~~',
  ],
  'spans may overlap': ['***a* b**', '**a~~b**c~~', '*a _b* c_'],
  'a single tilde is no delimiter, an asterisk between two numbers neither': ['~a~ ~5 days', '2*3*4'],
  'emphasis works beside Chinese, Japanese and Korean': ['这是**“强调”**的文字', '**注意：**内容', '**Hello!**世界'],
  'a bare address ends before an East Asian character, a pipe or an asterisk, and begins no word\'s middle': [
    '请访问https://example.com/a查看', '请看https://example.com。谢谢', 'https://a.b|c', 'https://a.b/?q=**x** y', 'xhttps://a.b',
  ],
  'a link\'s target stands on its line, and a link in a link is text': [
    '[a](\nb)', '[a](b\n)', '[a [b](https://c.d) e](https://a.b)', '[![alt](https://i.j)](https://a.b)',
  ],
  'entities are characters, also in addresses': ['[a](https://a.b?x=1&amp;y=2)', '&amp;&lt;&gt;&quot;&#39;&nbsp;|'],
  'a br is a line break': [
    '<br>a<br/>b<br />c', '| **a** | [b](https://c.d) |\n|---|---|\n| x<br>y | *z* |',
  ],
  'no code is made by indentation': ['    four blanks', '\t- a', '> \ta'],
  'no heading is made by the line below it': ['a\n---\nb', 'a\n-\nb', '| a |\n---\nb'],
  'two columns make a list nested': ['1. a\n  - b\n2. c'],
  'a task is text': ['- [ ] a\n- [x] b'],
  'a line that leaves a quote with open code in it leaves the item around it': ['- > ```\n  > a\nb'],
  'no line end stands before a closing fence': ['```\n\na\n\n```'],
  'a surplus cell is kept, a row of dashes may be too short': [
    '| a |\n|---|\n| 1 | 2 |', '| a | b |\n|---|\n| 1 | 2 |',
  ],
  'a header without a pipe before it was shown as text already': ['a | b\n--- | ---\n1 | 2', 'text\n|---|'],
  'a table below a list is not within it': ['- a\n| b |\n|---|'],
};
const DIFFERENT = new Set(Object.values(DIFFERENCES).flat());

/** The outline of a text; blanks at the edges of lines do not show. */
function read(text) {
  const { root, renderer } = createRecorder();
  const markdown = createMarkdown(renderer);
  markdown.push(text);
  markdown.end();
  return trim(outline(root));
}

const trim = (outlined) => outlined.replace(/ *\\n */g, '\\n').replace(/(?<=\(") +| +(?="\))/g, '');

test('the record is of these texts', () => {
  assert.deepEqual(outlines.map(([text]) => text), GFM_TEXTS);
});

test('documents and constructs have the structure that marked gives them', () => {
  for (const [text, expected] of outlines.filter(([each]) => !DIFFERENT.has(each))) {
    assert.equal(read(text), trim(expected), JSON.stringify(text));
  }
});

for (const [reason, texts] of Object.entries(DIFFERENCES)) {
  test(`unlike with marked, ${reason}`, () => {
    const recorded = new Map(outlines);
    for (const text of texts) assert.notEqual(read(text), trim(recorded.get(text)), JSON.stringify(text));
  });
}
