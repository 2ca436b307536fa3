import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createTypewriter } from '../../widget/src/typewriter.js';
import { CHARACTERS } from './characters.js';
import { createClock } from './clocks.js';
import { growth } from './cost.js';
import { below, oneOf, pieces, seeded } from './seeds.js';

/** A typewriter on a clock of its own, and what it wrote, when. */
function open({ isInstant = () => false, latenessMs = () => 0, ...rest } = {}) {
  const clock = createClock();
  const writes = [];
  const idle = [];
  const start = clock.now();
  const typewriter = createTypewriter({
    write: (text) => writes.push({ text, at: clock.now() - start }),
    onIdle: () => idle.push(clock.now() - start),
    now: clock.now,
    schedule: (run, ms) => clock.schedule(run, ms + latenessMs()),
    isInstant,
    ...rest,
  });
  return { clock, typewriter, writes, idle, shown: () => writes.map(({ text }) => text).join('') };
}

test('the first words are written at once', () => {
  const { typewriter, writes } = open();
  typewriter.push('Hello there');
  assert.deepEqual(writes, [{ text: 'Hel', at: 0 }]);
});

test('a burst becomes an even flow: a flush every 50 ms, a quarter of the backlog each', () => {
  const { clock, typewriter, writes } = open();
  typewriter.push('x'.repeat(64));
  clock.advance(400);
  assert.deepEqual(writes.map(({ text }) => text.length), [16, 12, 9, 7, 5, 5, 5, 5]);
  assert.deepEqual(writes.map(({ at }) => at), [0, 50, 100, 150, 200, 250, 300, 350]);
});

test('a flush writes at most 100 pieces while that is soon enough', () => {
  const { typewriter, writes } = open();
  typewriter.push('x'.repeat(700));
  assert.equal(writes[0].text.length, 100);
});

test('the pace follows a backlog that 100 pieces a flush cannot clear in time, evenly', () => {
  const { clock, typewriter, writes } = open();
  typewriter.push('x'.repeat(8000));
  typewriter.finish();
  clock.advance(400);
  const lengths = writes.map(({ text }) => text.length);
  assert.equal(lengths.reduce((sum, length) => sum + length), 8000);
  assert.ok(Math.max(...lengths) <= 1200 && Math.min(...lengths) >= 900, String(lengths));
});

test('text that trickles in passes with a short delay', () => {
  const { clock, typewriter, shown } = open();
  for (let count = 0; count < 100; count += 1) {
    typewriter.push('word ');
    clock.advance(20);
  }
  assert.ok(shown().length > 500 - 75, `${shown().length} of 500 shown`);
});

test('the last piece waits for what may still join it', () => {
  const { clock, typewriter, shown } = open();
  typewriter.push('cafe');
  clock.advance(200);
  assert.equal(shown(), 'caf');
  typewriter.push('\u0301 au');
  clock.advance(200);
  assert.equal(shown(), 'cafe\u0301 a');
});

test('the last piece does not wait for ever', () => {
  const { clock, typewriter, shown } = open();
  typewriter.push('word');
  clock.advance(400);
  assert.equal(shown(), 'word');
  assert.deepEqual(clock.waiting, []);
});

test('half a surrogate pair waits for its other half, however long that takes', () => {
  const { clock, typewriter, shown } = open();
  typewriter.push('ok \ud83d');
  clock.advance(5000);
  assert.equal(shown(), 'ok ');
  typewriter.push('\ude00');
  clock.advance(400);
  assert.equal(shown(), 'ok 😀');
});

test('half a surrogate pair whose other half never comes is written at the end', () => {
  const { clock, typewriter, shown, idle } = open();
  typewriter.push('\ud83d');
  clock.advance(1000);
  typewriter.finish();
  clock.advance(400);
  assert.equal(shown(), '\ud83d');
  assert.equal(idle.length, 1);
});

test('finish writes the rest within 400 ms and then says once that it is idle', () => {
  const { clock, typewriter, shown, idle } = open();
  typewriter.push('x'.repeat(500));
  typewriter.finish();
  assert.deepEqual(idle, []);
  clock.advance(400);
  assert.equal(shown().length, 500);
  clock.advance(10_000);
  assert.equal(idle.length, 1);
  assert.ok(idle[0] <= 400, String(idle));
});

test('finish on an empty typewriter is idle at once', () => {
  const { typewriter, idle } = open();
  typewriter.finish();
  assert.deepEqual(idle, [0]);
});

test('nobody has to listen for idleness', () => {
  const { typewriter, shown } = open({ onIdle: undefined });
  typewriter.push('x');
  typewriter.flush();
  typewriter.finish();
  assert.equal(shown(), 'x');
});

test('more text after finish is written, too, and takes the end back', () => {
  const { clock, typewriter, shown, idle } = open();
  typewriter.push('one');
  typewriter.finish();
  typewriter.push(' two');
  clock.advance(1000);
  assert.deepEqual([shown(), idle], ['one two', []]);
  typewriter.finish();
  assert.equal(idle.length, 1);
});

test('flush writes everything now and stops the clock', () => {
  const { clock, typewriter, shown } = open();
  typewriter.push('x'.repeat(300));
  typewriter.flush();
  assert.deepEqual([shown().length, typewriter.pending, clock.waiting], [300, 0, []]);
});

test('flush of nothing writes nothing', () => {
  const { typewriter, writes } = open();
  typewriter.flush();
  assert.deepEqual(writes, []);
});

test('flush after finish is the end', () => {
  const { typewriter, idle } = open();
  typewriter.push('x'.repeat(300));
  typewriter.finish();
  typewriter.flush();
  assert.equal(idle.length, 1);
});

test('clear forgets what was not written and stops the clock', () => {
  const { clock, typewriter, shown } = open();
  typewriter.push('x'.repeat(40));
  typewriter.clear();
  clock.advance(1000);
  assert.deepEqual([shown().length, typewriter.pending, clock.waiting], [10, 0, []]);
});

test('text after clear is in time, whatever was forgotten before', () => {
  const { clock, typewriter, shown } = open();
  typewriter.push('x'.repeat(400));
  typewriter.clear();
  const before = shown().length;
  typewriter.push('y'.repeat(40));
  clock.advance(400);
  assert.equal(shown().slice(before), 'y'.repeat(40));
});

test('pending is the length of what was not written yet', () => {
  const { typewriter } = open();
  typewriter.push('x'.repeat(40));
  assert.equal(typewriter.pending, 30);
});

test('empty text is nothing', () => {
  const { clock, typewriter, writes } = open();
  typewriter.push('');
  assert.deepEqual([writes, clock.waiting], [[], []]);
});

test('with reduced motion or in a hidden tab text is written as it comes', () => {
  const { typewriter, writes } = open({ isInstant: () => true });
  for (const word of ['one ', 'two ', 'three \ud83d']) typewriter.push(word);
  assert.deepEqual(writes.map(({ text }) => text), ['one ', 'two ', 'three ']);
});

test('a tab that was hidden in mid-flow gets the rest at the next flush', () => {
  let isInstant = false;
  const { clock, typewriter, shown } = open({ isInstant: () => isInstant });
  typewriter.push('x'.repeat(1000));
  isInstant = true;
  clock.advance(50);
  assert.equal(shown().length, 1000);
});

const CORPUS = [...Object.values(CHARACTERS), ' ', 'word', '中', '，', '\n'];

/** Pushes `text` in random pieces with random gaps; `check` runs every few milliseconds. */
function play(random, text, { longestPiece, longestGap, latenessMs }, check = () => {}) {
  const desk = open({ latenessMs: () => below(random, latenessMs + 1) });
  const pushed = [];
  let length = 0;
  for (const piece of pieces(random, text, longestPiece)) {
    desk.typewriter.push(piece);
    length += piece.length;
    pushed.push({ length, at: desk.clock.now() });
    for (let gap = below(random, longestGap); gap > 0; gap -= 7) {
      desk.clock.advance(Math.min(7, gap));
      check(desk, pushed, text);
    }
  }
  desk.typewriter.finish();
  desk.clock.advance(400);
  return desk;
}

const borders = (text) => new Set([...new Intl.Segmenter().segment(`${text} `)].map(({ index }) => index));

test('whatever the cuts and the timing, what is written is the text, and no grapheme is split', () => {
  const random = seeded(11);
  for (let round = 0; round < 400; round += 1) {
    const text = Array.from({ length: 1 + below(random, 60) }, () => oneOf(random, CORPUS)).join('');
    const longestPiece = 1 + below(random, 20);
    const { shown, writes, idle } = play(random, text, { longestPiece, longestGap: 20, latenessMs: 5 });
    assert.equal(shown(), text, `round ${round}`);
    assert.equal(idle.length, 1);
    const whole = borders(text);
    let at = 0;
    for (const write of writes) {
      at += write.text.length;
      assert.ok(whole.has(at), `round ${round}: cut at ${at} in ${JSON.stringify(text)}`);
    }
  }
});

/** Everything that came in over 400 ms ago is out, but for half a surrogate pair. */
function assertInTime({ clock, shown }, pushed, text) {
  const old = pushed.findLast(({ at }) => clock.now() - at > 400);
  if (!old) return;
  const due = text.slice(0, old.length).replace(/[\ud800-\udbff]$/, '');
  assert.ok(shown().length >= due.length, `${JSON.stringify(due.slice(shown().length))} is late`);
}

test('nothing is ever more than 400 ms behind, even with late timers and long silences', () => {
  const random = seeded(12);
  for (let round = 0; round < 200; round += 1) {
    const part = Array.from({ length: 1 + below(random, 80) }, () => oneOf(random, CORPUS)).join('');
    const text = part.repeat(1 + below(random, 20));
    const longestPiece = 1 + below(random, 2 + text.length);
    const desk = play(random, text, { longestPiece, longestGap: 1200, latenessMs: 40 }, assertInTime);
    assert.equal(desk.shown(), text);
  }
});

test('writing a long answer costs in proportion to its length', () => {
  const write = (length) => {
    const { clock, typewriter } = open();
    for (let at = 0; at < length; at += 4) {
      typewriter.push('word');
      clock.advance(10);
    }
  };
  const ratio = growth(write, 20_000, 200_000);
  assert.ok(ratio < 40, `linear is 10, quadratic 100, measured ${ratio.toFixed(1)}`);
});
