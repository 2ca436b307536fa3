/**
 * Blocks: paragraphs, headings, quotes, lists, code, tables, rules.
 *
 * A line is read in two parts. At its start, blanks and the marks of the containers that are open
 * (`>`, or enough blanks for a list item) are counted. The first other character decides what the
 * line is: letters and most signs at once, those that may begin a block when enough of what
 * follows is known. The rest of the line then goes to the block it belongs to as it comes.
 *
 * Held back are, at most LINE_HOLD characters each: the mark of a list item or heading with what
 * follows it, the dashes of a rule, the line that opens a code block, the line of a table's header
 * with the row of dashes below it.
 */

import { createCode } from './code.js';
import { closeLeaf, createPage, enterContainers, isInAll, leave, openItem, openLeaf, openQuote } from './page.js';
import { END } from './patterns.js';
import { createTable, readDelimiterRow } from './table.js';

/** @typedef {import('./page.js').Page} Page */

const LINE_HOLD = 1000;
/** How many quotes and list items may be open inside each other. */
const MAX_CONTAINERS = 16;
/** How far a line of an item must be indented. Less than many a marker is wide: models are not exact. */
const INDENT = 2;

/** What a line may begin with, and how that is begun: false if it was something else after all.
 * @type {[RegExp, (page: Page, match: RegExpExecArray) => boolean | void][]} */
const KINDS = [
  [/^(#{1,6})[ \t\n]/, beginHeading],
  [/^(`{3,}|~{3,})[ \t]*([^\s{,]{0,32})[^\n]*\n$/, beginCode],
  [/^([-*_])[ \t]*(?:\1[ \t]*){2,}\n$/, putRule],
  [/^(?:[-+*]|(\d{1,9})[.)])(?=[ \t\n])/, beginItem],
  [/^\|[^\n]*\n$/, holdHeader],
  [/^/, (page, { input }) => beginText(page, input)],
];
/** The beginning of a line that may still become several of them. */
const UNDECIDED = /^(?:#{1,6}|`{1,2}|`{3,}[^`\n]*|~{1,2}|~{3,}[^\n]*|\|[^\n]*|[-*_+:][-*_+:| \t]*|\d{1,9}[.)]?)$/;

/**
 * A reader of one text.
 *
 * @param {import('../markdown.js').Renderer} output
 * @returns {{feed: (token: string) => void, end: () => void}}
 */
export function createBlocks(output) {
  const page = createPage(output, readStart);
  return {
    feed: (token) => page.read(page, token),
    end() {
      if (page.read !== readStart) page.read(page, '\n');
      settleHeader(page);
      leave(page, 0);
    },
  };
}

/**
 * @param {Page} page
 * @param {string} text
 */
function readAll(page, text) {
  for (const token of text) page.read(page, token);
}

/**
 * @param {Page} page
 * @param {number} column
 */
function startAt(page, column) {
  page.read = readStart;
  page.column = column;
  page.blanks = '';
}

/** @param {Page} page */
function endLine(page) {
  page.level = 0;
  startAt(page, 0);
}

/**
 * @param {Page} page
 * @param {string} token
 */
function readStart(page, token) {
  if (token === '\n') endBlankLine(page);
  else if (token !== ' ' && token !== '\t') beginLine(page, token);
  // The first blank behind a quote's mark belongs to it.
  else if (page.column < 0) page.column = 0;
  else {
    page.blanks += token;
    page.column += widthOf(token);
  }
}

/** @param {Page} page */
function endBlankLine(page) {
  const left = page.containers.findIndex(({ mark }, depth) => depth >= page.level && !mark);
  settleHeader(page);
  if (left >= 0) leave(page, left);
  else if (page.leaf === 'pre') page.feed('\n');
  else closeLeaf(page);
  endLine(page);
}

/**
 * @param {Page} page
 * @param {string} token the first that is not blank
 */
function beginLine(page, token) {
  if (enterContainers(page, token)) return startAt(page, -1);
  if (page.leaf === 'pre') {
    if (isInAll(page)) return readRest(page, outdent(page) + token);
    closeLeaf(page);
  }
  if (page.header && (page.level !== page.headerLevel || !/[|:-]/.test(token))) settleHeader(page);
  if (token === '>' && page.level < MAX_CONTAINERS) {
    openQuote(page);
    return startAt(page, -1);
  }
  page.read = readMark;
  return readMark(page, token);
}

/**
 * @param {Page} page
 * @param {string} token
 */
function readMark(page, token) {
  page.held += token;
  const line = page.held;
  const isRow = line === '|' && isTable(page);
  if (!isRow && line.length <= LINE_HOLD && UNDECIDED.test(line)) return;
  page.held = '';
  const alignments = (page.header || (page.leaf === 'p' && isInAll(page))) && readDelimiterRow(line);
  if (alignments && (page.header || alignments.length > 1)) return beginTable(page, alignments);
  settleHeader(page);
  KINDS.some(([pattern, begin]) => {
    const match = pattern.exec(line);
    return match && begin(page, match) !== false;
  });
}

/**
 * @param {Page} page
 * @param {string} text which the innermost block takes, like what is left of the line
 */
function readRest(page, text) {
  page.read = readText;
  readAll(page, text);
}

/**
 * @param {Page} page
 * @param {string} token
 */
function readText(page, token) {
  const isLineEnd = token === '\n';
  if ((isLineEnd && page.leaf === 'h') || page.feed(token)) closeLeaf(page);
  if (isLineEnd) endLine(page);
}

/** @param {Page} page */
function isTable(page) {
  return page.leaf === 'table' && isInAll(page);
}

/**
 * @param {Page} page
 * @param {string} text
 */
function beginText(page, text) {
  if (!isTable(page)) beginParagraph(page);
  readRest(page, text);
}

/** @param {Page} page */
function beginParagraph(page) {
  if (page.leaf !== 'p') openLeaf(page, 'p', page.inline);
}

/**
 * @param {Page} page
 * @param {RegExpExecArray} match
 */
function beginHeading(page, { input, 1: marks = '' }) {
  openLeaf(page, 'h', createHeading(page.inline), marks);
  readRest(page, input.slice(marks.length));
}

/**
 * @param {Page} page
 * @param {RegExpExecArray} match
 */
function beginCode(page, { 1: fence = '', 2: language }) {
  page.codeColumn = page.column;
  openLeaf(page, 'pre', createCode(page.output, fence), language);
  endLine(page);
}

/** @param {Page} page */
function putRule(page) {
  leave(page);
  page.output.open('hr');
  page.output.close();
  endLine(page);
}

/**
 * @param {Page} page
 * @param {RegExpExecArray} match
 */
function beginItem(page, { input, 0: marker, 1: number }) {
  const mark = marker.slice(-1);
  const isNext = page.containers[page.level]?.mark === mark;
  // A year at the end of a sentence, a lone dash: the line goes on with the paragraph.
  const isText = page.leaf === 'p' && isInAll(page) && (Number(number ?? 1) !== 1 || input.endsWith('\n'));
  if (isText || (!isNext && page.level >= MAX_CONTAINERS)) return false;
  openItem(page, { mark, indent: page.column + INDENT }, number);
  startAt(page, page.column + marker.length);
  readAll(page, input.slice(marker.length));
  return true;
}

/**
 * @param {Page} page
 * @param {RegExpExecArray} match
 */
function holdHeader(page, { input }) {
  page.header = input;
  page.headerLevel = page.level;
  endLine(page);
}

/**
 * The line was no header, so it is text.
 * @param {Page} page
 */
function settleHeader(page) {
  if (!page.header) return;
  const { level } = page;
  page.level = page.headerLevel;
  beginParagraph(page);
  feedHeader(page);
  page.level = level;
}

/** @param {Page} page */
function feedHeader(page) {
  for (const token of page.header) page.feed(token);
  page.header = '';
}

/**
 * @param {Page} page
 * @param {readonly string[]} alignments
 */
function beginTable(page, alignments) {
  openLeaf(page, 'table', createTable(page.output, page.inline, alignments, Boolean(page.header)));
  feedHeader(page);
  endLine(page);
}

/**
 * A reader of one heading. A run of `#` at its end is no part of it.
 *
 * @param {(token: string) => void} inline
 * @returns {(token: string) => void}
 */
function createHeading(inline) {
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

/**
 * How many columns a blank takes.
 * @param {string} blank
 */
function widthOf(blank) {
  return blank === '\t' ? 4 : 1;
}

/**
 * What is left of a line's blanks when those that its code block is indented by are taken away.
 * @param {Page} page
 */
function outdent({ blanks, codeColumn }) {
  let start = 0;
  for (let left = codeColumn; left > 0 && start < blanks.length; start++) left -= widthOf(blanks.charAt(start));
  return blanks.slice(start);
}
