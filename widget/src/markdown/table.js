/** @typedef {import('../markdown.js').Renderer} Renderer */

/** What is shown of a table. */
const MAX_ROWS = 50;
const MAX_COLUMNS = 20;

/**
 * @typedef {object} Table
 * @property {(alignments: readonly string[], header: string) => void} begin with the header's line; empty: none
 * @property {() => void} beginRow
 * @property {(character: string) => void} feed one character of a row, the line end included
 * @property {() => void} end
 */

/**
 * The row of dashes below a table's header.
 *
 * @param {string} line
 * @returns {string[] | null} the alignment of each column: left, center, right or empty
 */
export function readDelimiterRow(line) {
  if (!line.includes('|')) return null;
  const cells = line.trim().replace(/^\|/, '').replace(/\|$/, '').split('|').map((cell) => cell.trim());
  if (!cells.every((cell) => /^:?-+:?$/.test(cell))) return null;
  return cells.map((cell) => {
    const isLeft = cell.startsWith(':');
    if (cell.endsWith(':')) return isLeft ? 'center' : 'right';
    return isLeft ? 'left' : '';
  });
}

/**
 * A reader of tables, one after the other. Pipes at the edges of a row, the blanks around cells
 * and the last cells of a row may be missing; surplus cells are kept. A cell is shown as it comes.
 *
 * @param {Renderer} output
 * @param {import('./inline.js').Inline} inline
 * @returns {Table}
 */
export function createTable(output, inline) {
  /** @type {readonly string[]} */
  let alignments = [];
  let rows = 0;
  let column = 0;
  let isHeader = false;
  let isCut = false;
  /** Only a pipe that comes first of all is the row's edge. */
  let isAtEdge = false;
  let isCellOpen = false;
  let isEscaped = false;

  function isShown() {
    return rows <= MAX_ROWS && column < MAX_COLUMNS;
  }

  function openCell() {
    isCellOpen = true;
    if (isShown()) output.open(isHeader ? 'th' : 'td', { align: alignments[column] ?? '' });
    else isCut = true;
  }

  function closeCell() {
    if (!isCellOpen) openCell();
    if (isShown()) {
      inline.end();
      output.close();
    }
    isCellOpen = false;
    column++;
  }

  /** @param {string} character */
  function put(character) {
    isAtEdge = false;
    if (!isCellOpen) openCell();
    if (isShown()) inline.feed(character);
  }

  function beginRow() {
    column = 0;
    isAtEdge = true;
    if (!isHeader) rows++;
    if (rows <= MAX_ROWS) output.open('tr');
  }

  function endRow() {
    if (isCellOpen) closeCell();
    while (column < alignments.length) closeCell();
    if (rows <= MAX_ROWS) output.close();
  }

  /** @param {string} character */
  function feed(character) {
    if (isEscaped) {
      isEscaped = false;
      // The one escape that belongs to the table, even within code.
      if (character === '|') return put('|');
      put('\\');
    }
    if (character === '\\') isEscaped = true;
    else if (character === '\n') endRow();
    else if (character === '|' && isAtEdge) isAtEdge = false;
    else if (character === '|') closeCell();
    else if (isCellOpen || character.trim()) put(character);
  }

  return {
    begin(columns, header) {
      alignments = columns;
      rows = 0;
      isCut = false;
      output.open('table');
      isHeader = true;
      if (header) {
        beginRow();
        for (const character of header) feed(character);
      }
      isHeader = false;
    },
    beginRow,
    feed,
    end() {
      output.close();
      if (!isCut) return;
      output.open('notice');
      output.close();
    },
  };
}
