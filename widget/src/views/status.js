import { make, makeButton } from '../dom.js';
import { errorText } from '../strings.js';

/** @typedef {import('../types.js').State} State */
/** @typedef {import('../types.js').Strings} Strings */

/**
 * @typedef {object} Status
 * @property {HTMLElement} element
 * @property {(state: State) => void} update
 */

/**
 * The line above the composer that tells about the connection, when there is something to tell.
 *
 * @param {Strings} words
 * @param {(text: string) => void} say tells a screen reader
 * @param {() => void} onRetry
 * @returns {Status}
 */
export function createStatus(words, say, onRetry) {
  const line = make('span');
  const retry = makeButton('retry', onRetry, words.retry);
  const element = make('div', 'status', {}, line, retry);
  return {
    element,
    update(state) {
      const text = describe(state, words);
      if (text && text !== line.textContent) say(text);
      line.textContent = text;
      element.hidden = !text;
      retry.hidden = state.connection !== 'lost';
    },
  };
}

/**
 * @param {State} state
 * @param {Strings} words
 */
function describe({ connection, wait }, words) {
  if (connection === 'lost') return words.lost;
  if (connection !== 'reconnecting') return '';
  return !wait || wait.code === 'CONNECTION_LOST' ? words.reconnecting : errorText(words, { ...wait, message: '' });
}
