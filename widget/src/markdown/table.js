import { END } from './patterns.js';

/** @typedef {import('../markdown.js').Renderer} Renderer */

/** What is shown of a table. */
const MAX_ROWS = 50;
const MAX_COLUMNS = 20;

/**
 * The row of dashes below a table's header.
 *
 * @param {string} line
 * @returns {string[] | null} the alignment of each column: left, center, right or empty
 */
export function readDelimiterRow(line) {
  if (!/^[-:| \t]*\|[-:| \t]*\n$/.test(line)) return null;
  const cells = line.trim().replace(/^\||\|$/g, '').split('|').map((cell) => cell.trim());
  if (!cells.every((cell) => /^:?-+:?$/.test(cell))) return null;
  return cells.map((cell) => {
    const isLeft = cell.startsWith(':');
    if (cell.endsWith(':')) return isLeft ? 'center' : 'right';
    return isLeft ? 'left' : '';
  });
}

/**
 * A reader of one table. Pipes at the edges of a row, the blanks around cells and the last cells of
 * a row may be missing; surplus cells are kept. A cell is shown as it comes.
 *
 * @param {Renderer} output
 * @param {(token: string) => void} inline
 * @param {readonly string[]} alignments
 * @param {boolean} hasHeader whether the first row is one
 * @returns {(token: string) => void} takes one token of a row, its line end, and END behind the last row;
 *   that leaves the table to be closed, or a notice in its place
 */
export function createTable(output, inline, alignments, hasHeader) {
  let row = hasHeader ? 0 : 1;
  let column = 0;
  let isCut = false;
  let isRowOpen = false;
  let isCellOpen = false;
  let isEscaped = false;

  function isShown() {
    return row <= MAX_ROWS && column < MAX_COLUMNS;
  }

  function openCell() {
    isCellOpen = true;
    if (isShown()) output.open(row ? 'td' : 'th', alignments[column]);
    else isCut = true;
  }

  function closeCell() {
    if (!isCellOpen) openCell();
    if (isShown()) {
      inline(END);
      output.close();
    }
    isCellOpen = false;
    column++;
  }

  /** @param {string} token */
  function put(token) {
    if (!isCellOpen) openCell();
    if (isShown()) inline(token);
  }

  function endRow() {
    if (isCellOpen) closeCell();
    while (column < alignments.length) closeCell();
    if (row <= MAX_ROWS) output.close();
    column = 0;
    row++;
  }

  /** @param {string} token */
  function readCell(token) {
    // \| is the one escape that belongs to the table, even within code.
    const isLiteral = isEscaped;
    isEscaped = token === '\\' && !isLiteral;
    if (isEscaped) return;
    if (isLiteral && token !== '|') put('\\');
    if (token === '\n') endRow();
    else if (token === '|' && !isLiteral) closeCell();
    else if (isCellOpen || token.trim()) put(token);
  }

  return (token) => {
    if (token !== END) {
      if (!isRowOpen && row <= MAX_ROWS) output.open('tr');
      // The pipe at a row's edge ends no cell.
      if (isRowOpen || token !== '|') readCell(token);
      isRowOpen = token !== '\n';
    } else if (isCut) {
      output.close();
      output.open('notice');
    }
  };
}
