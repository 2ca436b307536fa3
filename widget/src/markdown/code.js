/** @typedef {import('../markdown.js').Renderer} Renderer */

/**
 * @typedef {object} Code
 * @property {(fence: string, column: number, info: string) => void} begin `info` is what stands behind the fence
 * @property {(column: number, blanks: string) => void} beginLine a line that is not blank
 * @property {(character: string) => boolean} feed one character of a line, the line end included; whether that
 *   ended a closing fence
 * @property {() => void} skipLine a blank line
 */

/**
 * A reader of fenced code blocks, one after the other. A line end is passed on with the line
 * behind it, so that none stands before the closing fence.
 *
 * @param {Renderer} output
 * @returns {Code}
 */
export function createCode(output) {
  let fence = '';
  let fenceColumn = 0;
  let lineEnds = 0;
  let indent = '';
  /** What may be the closing fence; null once it is not. @type {string | null} */
  let held = null;

  /** @param {string} text */
  function put(text) {
    output.text('\n'.repeat(lineEnds) + indent + text);
    lineEnds = 0;
    indent = '';
    held = null;
  }

  function endLine() {
    const isClosed = /^(.)\1*[ \t]*$/.test(held ?? '') && (held ?? '').trimEnd().length >= fence.length;
    if (held && !isClosed) put(held);
    lineEnds++;
    return isClosed;
  }

  return {
    begin(text, column, info) {
      fence = text;
      fenceColumn = column;
      lineEnds = 0;
      output.open('pre', { language: info.trim().replace(/[\s{,].*$/, '') });
    },
    beginLine(column, blanks) {
      indent = outdent(blanks, fenceColumn);
      held = column < fenceColumn + 4 ? '' : null;
    },
    feed(character) {
      if (character === '\n') return endLine();
      const mayClose = character === fence[0] || (held && /[ \t]/.test(character));
      if (held === null || !mayClose) put((held ?? '') + character);
      else held += character;
      return false;
    },
    skipLine() {
      lineEnds++;
    },
  };
}

/**
 * @param {string} blanks
 * @param {number} columns how many to take away, if there are as many
 */
function outdent(blanks, columns) {
  let column = 0;
  let at = 0;
  for (; column < columns && at < blanks.length; at++) column += blanks[at] === '\t' ? 4 - (column % 4) : 1;
  return blanks.slice(at);
}
