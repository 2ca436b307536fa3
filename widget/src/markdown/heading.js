import { END } from './patterns.js';

/**
 * A reader of one heading. A run of `#` at its end is no part of it.
 *
 * @param {(token: string) => void} inline
 * @returns {(token: string) => void} takes one token, and END behind the last one
 */
export function createHeading(inline) {
  let tail = '';
  return (token) => {
    if (/[# \t]/.test(token)) {
      tail += token;
      return;
    }
    if (token !== END || !/^[ \t]+#*[ \t]*$/.test(tail)) Array.from(tail, inline);
    tail = '';
    inline(token);
  };
}
