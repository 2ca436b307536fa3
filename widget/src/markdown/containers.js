/** @typedef {import('../markdown.js').Renderer} Renderer */

/**
 * An open quote or list item. Columns count from the start of the line, or behind the last `>`.
 *
 * @typedef {object} Container
 * @property {string} mark of the list, `-` or `.` for example; empty for a quote
 * @property {number} indent the column from which on a line belongs to the item
 * @property {boolean} isEmpty nothing stands in it yet
 */

/**
 * @typedef {object} Containers
 * @property {number} level how many of them the line is in, as far as that is known
 * @property {boolean} isInAll whether the line is in all of them
 * @property {() => void} beginLine
 * @property {(character: string, column: number, isInCode: boolean) => boolean} enter goes into them as far as the
 *   line does; `character` is its first that is not blank. Whether that was the mark of an open quote
 * @property {() => boolean} leave closes those that the line is not in, for a new block; whether that is the first
 *   block in its container
 * @property {() => number} leftQuote the outermost open quote that a blank line is not in; -1: none
 * @property {(depth: number) => void} closeTo
 * @property {() => boolean} openQuote false where there are too many
 * @property {(mark: string, column: number, number: string | undefined) => boolean} openItem the next one of the
 *   list that the line is in, else the first of a new one; `number` makes it an ordered one. False where there are
 *   too many
 */

/** How many quotes and list items may be open inside each other. */
const MAX_DEPTH = 16;
/** How far a line must be indented to be in an item. Less than many a marker is wide: models are not exact. */
const INDENT = 2;

/**
 * The open quotes and list items.
 *
 * @param {Renderer} output
 * @param {() => void} closeLeaf closes the innermost block
 * @returns {Containers}
 */
export function createContainers(output, closeLeaf) {
  /** @type {Container[]} */
  const open = [];
  let level = 0;

  /** @param {number} depth */
  function closeTo(depth) {
    closeLeaf();
    while (open.length > depth) {
      output.close();
      if (open.pop()?.mark) output.close();
    }
  }

  function leave() {
    closeTo(level);
    const parent = open.at(-1);
    const isFirst = Boolean(parent?.isEmpty);
    if (parent) parent.isEmpty = false;
    return isFirst;
  }

  return {
    get level() {
      return level;
    },
    get isInAll() {
      return level === open.length;
    },
    beginLine() {
      level = 0;
    },
    enter(character, column, isInCode) {
      // A code block takes the lines of its item at any indentation, unless it is in a quote that has ended.
      const isLazy = isInCode && open.slice(level).every(({ mark }) => mark);
      for (const { mark, indent } of open.slice(level)) {
        if (mark ? column < indent && !isLazy : character !== '>') return false;
        level++;
        if (!mark) return true;
      }
      return false;
    },
    leave,
    leftQuote: () => open.findIndex(({ mark }, depth) => depth >= level && !mark),
    closeTo,
    openQuote() {
      if (level >= MAX_DEPTH) return false;
      leave();
      output.open('blockquote');
      open.push({ mark: '', indent: 0, isEmpty: false });
      level++;
      return true;
    },
    openItem(mark, column, number) {
      const isNext = open[level]?.mark === mark;
      if (!isNext && level >= MAX_DEPTH) return false;
      if (isNext) {
        closeTo(level + 1);
        open.pop();
        output.close();
      } else {
        leave();
        if (number) output.open('ol', { start: Number(number) });
        else output.open('ul');
      }
      output.open('li');
      open.push({ mark, indent: column + INDENT, isEmpty: true });
      level++;
      return true;
    },
  };
}
