import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createMarkdown } from '../../widget/src/markdown.js';
import { ANSWERS } from './fixtures/answers.js';

const NOWHERE = { open() {}, close() {}, text() {} };

/** What costs the most: text that keeps looking like the beginning of something. */
const UNITS = [
  ...ANSWERS, 'plain words. ', '*a ', '*a.', '**a ', '_a', '***', '~~a ', '`', '`a ', '``a ', '[', '[a', '[a](',
  '[a](((', '![', '[a](b "', '<', '<a', '<br ', 'h', ' https://a', '&', '&am', '\\', ' ', '\n', '\t', '-', '- ', '1', '1. ', '#', '# ',
  '>', '> ', '> - ', '|', '| a ', '| a |\n|-|\n', '```\n``', '~~~a', '=', '中**', '「*', '😀', '\u0301', '\u202e', '*a\n',
  '(', '")',
];

/** How many characters the patterns had to look at, for a text that comes in pieces of four. */
function countWork(text) {
  const { exec } = RegExp.prototype;
  let count = 0;
  RegExp.prototype.exec = function countingExec(string) {
    count += string.length;
    return exec.call(this, string);
  };
  try {
    const markdown = createMarkdown(NOWHERE);
    for (let at = 0; at < text.length; at += 4) markdown.push(text.slice(at, at + 4));
    markdown.end();
  } finally {
    RegExp.prototype.exec = exec;
  }
  return count;
}

const fill = (unit, length) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);

for (const unit of UNITS) {
  test(`${JSON.stringify(unit.slice(0, 20))} again and again`, () => {
    const short = countWork(fill(unit, 5_000));
    const ratio = countWork(fill(unit, 50_000)) / short;
    assert.ok(ratio <= 12, `ten times the text is ${ratio.toFixed(1)} times the work`);
    const each = short / 5_000;
    assert.ok(each <= (ANSWERS.includes(unit) ? 200 : 4_000), `${each.toFixed(0)} looked at for each character`);
  });
}
