import { createClusters } from './graphemes.js';

const FLUSH_MS = 50;
const LATEST_MS = 400;
const MOST_PIECES = 100;
const DRAIN_FLUSHES = 4;

/**
 * Turns bursts of text into an even flow.
 *
 * Every 50 ms a quarter of the backlog is written, at most 100 graphemes; more only where text
 * would otherwise come out later than 400 ms after it came in, and then spread evenly over the
 * flushes that are left. Text is cut between graphemes. The last one may still grow (half a flag,
 * an accent to come), so it waits for what follows it, for its time to run out, or for `finish`.
 * @param {import('./types.js').TypewriterOptions} options
 * @returns {import('./types.js').Typewriter}
 */
export function createTypewriter({ write, onIdle, now, schedule, isInstant, clusters = createClusters() }) {
  let text = '';
  let written = 0;
  let isFinished = false;
  let lastFlush = -Infinity;
  /** Where each piece that came ends, counted from the very first text, and when it is due.
   * @type {{end: number, dueAt: number}[]} */
  let batches = [];
  /** @type {(() => void) | null} */
  let cancel = null;

  /** How much must be written now, and how much makes an even flow. */
  function measure() {
    let due = isInstant() ? text.length : 0;
    let wanted = Math.min(MOST_PIECES, Math.ceil(text.length / DRAIN_FLUSHES));
    for (const { end, dueAt } of batches) {
      const flushesLeft = Math.floor((dueAt - lastFlush) / FLUSH_MS);
      // The last flush in time is not waited for: timers are late on a busy page.
      if (flushesLeft < 2) due = Math.max(due, end - written);
      else wanted = Math.max(wanted, Math.ceil((end - written) / flushesLeft));
    }
    return { due, wanted: Math.max(due, wanted) };
  }

  /** Length of what to write now: whole graphemes. */
  function cut() {
    const { due, wanted } = measure();
    // Half a surrogate pair is no character yet; without its other half it cannot be shown.
    const body = isFinished ? text : text.replace(/[\ud800-\udbff]$/, '');
    if (!body) return 0;
    const end = wanted < body.length ? clusters(body, wanted - 1)[1] : body.length;
    if (isFinished || end < body.length) return end;
    const [lastStart] = clusters(body, end - 1);
    return due > lastStart ? end : lastStart;
  }

  /** @param {number} length */
  function put(length) {
    const piece = text.slice(0, length);
    text = text.slice(length);
    written += length;
    batches = batches.filter(({ end }) => end > written);
    if (piece) write(piece);
    if (text || !isFinished) return;
    isFinished = false;
    onIdle?.();
  }

  function tick() {
    disarm();
    lastFlush = now();
    put(cut());
    arm();
  }

  function arm() {
    if (text && !cancel) cancel = schedule(tick, Math.max(0, lastFlush + FLUSH_MS - now()));
  }

  function disarm() {
    cancel?.();
    cancel = null;
  }

  return {
    push(more) {
      if (!more) return;
      const at = now();
      text += more;
      isFinished = false;
      batches.push({ end: written + text.length, dueAt: at + LATEST_MS });
      if (isInstant() || at - lastFlush >= FLUSH_MS) tick();
      else arm();
    },
    finish() {
      isFinished = true;
      if (text) arm();
      else put(0);
    },
    flush() {
      disarm();
      put(text.length);
    },
    clear() {
      disarm();
      text = '';
      batches = [];
    },
    get pending() {
      return text.length;
    },
  };
}
