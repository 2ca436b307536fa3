import { make } from '../dom.js';
import { errorText, format } from '../strings.js';

/** @typedef {import('../types.js').State} State */

/**
 * @typedef {object} Status
 * @property {HTMLElement} element
 * @property {(state: State) => void} update
 */

/**
 * The line above the composer that tells about the connection, when there is something to tell.
 *
 * @param {object} parts
 * @param {import('../types.js').Strings} parts.words
 * @param {() => void} parts.onRetry
 * @param {(text: string) => void} parts.say tells a screen reader
 * @param {() => number} parts.now
 * @param {import('../types.js').Schedule} parts.schedule
 * @param {AbortSignal} parts.signal ends listener and timer
 * @returns {Status}
 */
export function createStatus({ words, onRetry, say, now, schedule, signal }) {
  const line = make('span');
  const countdown = make('span', { class: 'countdown' });
  const retry = make('button', { class: 'retry', part: 'retry' }, words.retry);
  const element = make('div', { class: 'status', part: 'status' }, line, countdown, retry);
  /** @type {State['wait']} */
  let wait = null;
  let cancel = () => {};
  retry.addEventListener('click', onRetry, { signal });
  signal.addEventListener('abort', () => cancel());

  function count() {
    cancel();
    const leftMs = wait ? wait.until - now() : 0;
    countdown.textContent = leftMs > 0 ? format(words.waiting, { seconds: Math.ceil(leftMs / 1000) }) : '';
    // To the next full second.
    if (leftMs > 0) cancel = schedule(count, leftMs % 1000 || 1000);
  }

  return {
    element,
    update(state) {
      const text = describe(state, words);
      if (text && text !== line.textContent) say(text);
      line.textContent = text;
      element.hidden = !line.textContent;
      retry.hidden = state.connection !== 'lost';
      if (wait === state.wait) return;
      wait = state.wait;
      count();
    },
  };
}

/**
 * @param {State} state
 * @param {import('../types.js').Strings} words
 */
function describe({ connection, wait }, words) {
  if (connection === 'lost') return words.lost;
  if (connection !== 'reconnecting') return '';
  return !wait || wait.code === 'CONNECTION_LOST' ? words.reconnecting : errorText(words, { ...wait, message: '' });
}
