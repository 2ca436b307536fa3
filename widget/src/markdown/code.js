/** @typedef {import('../markdown.js').Renderer} Renderer */

/** A line that may be a closing fence, and the line end before it. */
const FENCE = /^\n? {0,3}(`|~)?\1{0,99}[ \t]{0,99}$/;

/**
 * A reader of one fenced code block. Held back are a line end until something follows, so that
 * none stands before the closing fence, and what may be that fence.
 *
 * @param {Renderer} output
 * @param {string} fence
 * @returns {(token: string) => boolean} takes one token, line ends included; whether the block has ended
 */
export function createCode(output, fence) {
  let held = '';
  let mayBeEnd = true;

  return (token) => {
    const isLineEnd = token === '\n';
    if (isLineEnd && mayBeEnd && held.trim().startsWith(fence)) return true;
    held += token;
    mayBeEnd = isLineEnd || (mayBeEnd && FENCE.test(held));
    if (isLineEnd) {
      output.text(held.slice(0, -1));
      held = token;
    } else if (!mayBeEnd) {
      output.text(held);
      held = '';
    }
    return false;
  };
}
