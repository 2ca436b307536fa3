/**
 * How long the markdown reader takes: `node tests/bench/widget/markdown.js`.
 *
 * The text comes in pieces of four characters, as from a model. The very first run includes the
 * compiling; the rest are medians. More than 64 KB of one answer are not rendered, so 200,000
 * characters are also read as ten answers.
 */

import { createMarkdown, MAX_TEXT } from '../../../widget/src/markdown.js';
import { ANSWERS } from '../../widget/fixtures/answers.js';

const PIECE = 4;
const RUNS = 9;
const NOWHERE = { open() {}, close() {}, text() {} };

const PROSE = 'We ship within two days. If it does not fit, send it back **within 30 days** for a refund.\n\n';
const MIXED = ANSWERS.join('\n\n');

const fill = (unit, length) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);

function read(text) {
  const markdown = createMarkdown(NOWHERE);
  for (let at = 0; at < text.length; at += PIECE) markdown.push(text.slice(at, at + PIECE));
  markdown.end();
}

/** Milliseconds. */
function time(work) {
  const start = performance.now();
  work();
  return performance.now() - start;
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

function report(name, length, ms) {
  console.log(`${name.padEnd(24)} ${length.padStart(11)} characters  ${ms.toFixed(1).padStart(7)} ms`);
}

function compare(name, unit) {
  const [short, middle, long, over] = [6_000, 20_000, 60_000, 200_000].map((length) => {
    const text = fill(unit, length);
    const ms = median(Array.from({ length: RUNS }, () => time(() => read(text))));
    report(name, length.toLocaleString('en'), ms);
    return ms;
  });
  const answer = fill(unit, 20_000);
  const ten = median(Array.from({ length: RUNS }, () => time(() => Array.from({ length: 10 }, () => read(answer)))));
  report(`${name}, ten answers`, '10 x 20,000', ten);
  console.log(`${name}: ten times the text, ${(long / short).toFixed(1)} times the time; ten answers, `
    + `${(ten / middle).toFixed(1)} times; an answer over the limit, ${(over / long).toFixed(1)} times one at it`);
}

report('mixed, the very first', '20,000', time(() => read(fill(MIXED, 20_000))));
for (let run = 0; run < RUNS; run++) read(fill(MIXED, 60_000));
compare('prose', PROSE);
compare('mixed', MIXED);
console.log(`Rendered of one answer: ${MAX_TEXT.toLocaleString('en')} characters at most.`);
