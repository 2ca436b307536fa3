/** @typedef {import('../markdown.js').Renderer} Renderer */

/**
 * A reader of one fenced code block. Held back are a line end until something follows, so that
 * none stands before the closing fence, and what may be that fence.
 *
 * @param {Renderer} output
 * @param {string} fence
 * @returns {(token: string) => boolean} takes one token, line ends included; whether the block has ended
 */
export function createCode(output, fence) {
  const start = new RegExp(`^\n? {0,3}${fence[0]}{0,99}[ \t]{0,99}$`);
  const end = new RegExp(`^\n? {0,3}${fence}${fence[0]}*[ \t]*\n$`);
  let held = '';
  let mayBeEnd = true;

  return (token) => {
    held += token;
    if (mayBeEnd && end.test(held)) return true;
    const isLineEnd = token === '\n';
    mayBeEnd = isLineEnd || (mayBeEnd && start.test(held));
    if (isLineEnd) {
      output.text(held.slice(0, -1));
      held = '\n';
    } else if (!mayBeEnd) {
      output.text(held);
      held = '';
    }
    return false;
  };
}
