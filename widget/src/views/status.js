import { make, makeButton } from '../dom.js';
import { CONNECTION_LOST } from '../errors.js';

/** @typedef {import('../types.js').State} State */
/** @typedef {import('../types.js').Words} Words */

/**
 * @typedef {object} Status
 * @property {HTMLElement} element
 * @property {(state: State) => void} update
 */

/**
 * The line above the composer that tells about the connection, when there is something to tell.
 *
 * @param {Words} words
 * @param {() => void} onRetry
 * @returns {Status}
 */
export function createStatus(words, onRetry) {
  const line = make('span', 'line');
  const retry = makeButton('retry', onRetry, words.retry);
  const element = make('div', 'status', { hidden: 'hidden' }, line, retry);
  return {
    element,
    update(state) {
      const text = describe(state, words);
      // Setting an attribute anew has the browser look at all styles again.
      if (text !== line.textContent) {
        line.textContent = text;
        element.hidden = !text;
      }
      retry.hidden = state.connection !== 'lost';
    },
  };
}

/**
 * @param {State} state
 * @param {Words} words
 */
function describe({ connection, wait }, words) {
  if (connection === 'lost') return words.lost;
  if (connection !== 'reconnecting') return '';
  // Of a line that was cut there is nothing more to say.
  return (wait?.code !== CONNECTION_LOST && words[`${wait?.code}`]) || words.reconnecting;
}
