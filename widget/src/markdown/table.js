import { END } from './patterns.js';

/** @typedef {import('../markdown.js').Renderer} Renderer */

/** What is shown of a table. */
const MAX_ROWS = 50;
const MAX_COLUMNS = 20;
/** By where colons are: nowhere, at the start, at the end, at both. */
const ALIGNMENTS = ['', 'left', 'right', 'center'];

/**
 * The row of dashes below a table's header.
 *
 * @param {string} line
 * @returns {string[] | null} the alignment of each column: left, center, right or empty
 */
export function readDelimiterRow(line) {
  const cells = line.trim().replace(/^\||\|$/g, '').split('|').map((cell) => cell.trim());
  if (!/\|.*\n/.test(line) || !cells.every((cell) => /^:?-+:?$/.test(cell))) return null;
  return cells.map((cell) => ALIGNMENTS[Number(cell.startsWith(':')) + 2 * Number(cell.endsWith(':'))] ?? '');
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

  /** @param {string} token */
  function put(token) {
    if (!isCellOpen) {
      if (isShown()) output.open(row ? 'td' : 'th', alignments[column]);
      else isCut = true;
    }
    isCellOpen = true;
    if (isShown()) inline(token);
  }

  function closeCell() {
    put(END);
    if (isShown()) output.close();
    isCellOpen = false;
    column++;
  }

  function endRow() {
    while (isCellOpen || column < alignments.length) closeCell();
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
