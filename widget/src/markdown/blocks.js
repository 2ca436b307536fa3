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
import { createHeading } from './heading.js';
import { createInline } from './inline.js';
import { END } from './patterns.js';
import { createTable, readDelimiterRow } from './table.js';

const LINE_HOLD = 1000;
/** How many quotes and list items may be open inside each other. */
const MAX_CONTAINERS = 16;
/** How far a line of an item must be indented. Less than many a marker is wide: models are not exact. */
const INDENT = 2;

/** The beginning of a line that may still become several of them. */
const UNDECIDED = /^(?:#{1,6}|`{1,2}|`{3,}[^`\n]*|~{1,2}|(?:~{3}|\|)[^\n]*|[-*_+:][-*_+:| \t]*|\d{1,9}[.)]?)$/;

/**
 * An open quote or list item.
 *
 * @typedef {object} Container
 * @property {string} mark of the list, `-` or `.` for example; empty for a quote
 * @property {number} indent the column from which on a line belongs to the item
 */

/**
 * A reader of one text. What is open and where the line is are variables of this function: every
 * step of reading needs most of them.
 *
 * @param {import('../markdown.js').Renderer} output
 * @returns {{feed: (token: string) => void, end: () => void}}
 */
// eslint-disable-next-line house/own-lines -- variables and their descriptions; no function inside is long
export function createBlocks(output) {
  const inline = createInline(output);
  /** @type {Container[]} */
  const containers = [];
  let level = 0; // how many of them the line is in, as far as that is known
  /** The innermost block, if it may go on. @type {'' | 'p' | 'h' | 'hr' | 'pre' | 'table'} */
  let leaf = '';
  /** Takes its characters and says when it has ended. @type {(token: string) => boolean | void} */
  let feed = inline;
  let read = readStart; // takes the next token
  let column = 0; // where the text of the line begins, from its start or behind the last `>`; -1 is right behind that
  let blanks = ''; // before it
  let codeColumn = 0; // where the fence of a code block stands
  let held = ''; // what may be the mark of a block
  // A line that is a table's header if the next one says so, and how many containers it is in.
  let header = '';
  let headerLevel = 0;

  /** What a line may begin with, and how that is begun: false if it was something else after all.
   * @type {[RegExp, (match: RegExpExecArray) => boolean | void][]} */
  const kinds = [
    [/^(#{1,6})[ \t\n]/, beginHeading],
    [/^(`{3,}|~{3,})[ \t]*([^\s{,]{0,32})[^\n]*\n$/, beginCode],
    [/^([-*_])[ \t]*(?:\1[ \t]*){2,}\n$/, putRule],
    [/^(?:[-+*]|(\d{1,9})[.)])(?=[ \t\n])/, beginItem],
    [/^\|[^\n]*\n$/, holdHeader],
    [/^/, beginText],
  ];

  /** What is left of a line's blanks when those that its code block is indented by are taken away. */
  function outdent() {
    for (let left = codeColumn; left > 0 && blanks; blanks = blanks.slice(1)) left -= widthOf(blanks);
    return blanks;
  }

  /** @param {string} text which the innermost block takes, like what is left of the line */
  function readRest(text, next = readText) {
    read = next;
    for (const token of text) read(token);
  }

  /** @param {number} start */
  function startAt(start) {
    read = readStart;
    column = start;
    blanks = '';
  }

  function endLine() {
    level = 0;
    startAt(0);
  }

  /** @param {string} token */
  function readStart(token) {
    if (token === '\n') endBlankLine();
    else if (!/[ \t]/.test(token)) beginLine(token);
    // The first blank behind a quote's mark belongs to it.
    else if (column < 0) column = 0;
    else {
      blanks += token;
      column += widthOf(token);
    }
  }

  function endBlankLine() {
    const left = containers.findIndex(({ mark }, depth) => depth >= level && !mark);
    settleHeader();
    if (left >= 0) leave(left);
    else if (leaf === 'pre') feed('\n');
    else closeLeaf();
    endLine();
  }

  /** @param {string} token the first that is not blank */
  function beginLine(token) {
    if (enterContainers(token)) return startAt(-1);
    if (goesOn('pre')) return readRest(outdent() + token);
    if (leaf === 'pre') closeLeaf();
    if (level !== headerLevel || !/[|:-]/.test(token)) settleHeader();
    if (token === '>' && level < MAX_CONTAINERS) {
      leave();
      enter({ mark: '', indent: 0 });
      return startAt(-1);
    }
    read = readMark;
    return readMark(token);
  }

  /** @param {string} token */
  function readMark(token) {
    held += token;
    const line = held;
    const isRow = line === '|' && goesOn('table');
    if (!isRow && line.length <= LINE_HOLD && UNDECIDED.test(line)) return;
    held = '';
    const alignments = (header || goesOn('p')) && readDelimiterRow(line);
    if (alignments && (header || alignments.length > 1)) {
      openLeaf('table', createTable(output, inline, alignments, Boolean(header)));
      feedHeader();
      return endLine();
    }
    settleHeader();
    kinds.some(([pattern, begin]) => {
      const match = pattern.exec(line);
      return match && begin(match) !== false;
    });
  }

  /** @param {string} token */
  function readText(token) {
    const isLineEnd = token === '\n';
    if ((isLineEnd && leaf === 'h') || feed(token)) closeLeaf();
    if (isLineEnd) endLine();
  }

  /** Whether the line is in all that is open, so that the block may go on.
   * @param {typeof leaf} type */
  function goesOn(type) {
    return leaf === type && level === containers.length;
  }

  /** @param {RegExpExecArray} match */
  function beginText({ input }) {
    if (!goesOn('table')) beginParagraph();
    readRest(input);
  }

  function beginParagraph() {
    if (leaf !== 'p') openLeaf('p', inline);
  }

  /** @param {RegExpExecArray} match */
  function beginHeading({ input, 1: marks = '' }) {
    openLeaf('h', createHeading(inline), marks);
    readRest(input.slice(marks.length));
  }

  /** @param {RegExpExecArray} match */
  function beginCode({ 1: fence = '', 2: language }) {
    codeColumn = column;
    openLeaf('pre', createCode(output, fence), language);
    endLine();
  }

  function putRule() {
    openLeaf('hr', inline);
    closeLeaf();
    endLine();
  }

  /** @param {RegExpExecArray} match */
  function beginItem({ input, 0: marker, 1: number }) {
    const mark = marker.slice(-1);
    const isNext = containers[level]?.mark === mark;
    // A year at the end of a sentence, a lone dash: the line goes on with the paragraph.
    const isText = goesOn('p') && (Number(number ?? 1) !== 1 || input.endsWith('\n'));
    if (isText || (!isNext && level >= MAX_CONTAINERS)) return false;
    leave(level + Number(isNext));
    if (isNext) {
      containers.pop();
      output.close();
    } else output.open(number ? 'ol' : 'ul', number);
    enter({ mark, indent: column + INDENT });
    startAt(column + marker.length);
    readRest(input.slice(marker.length), readStart);
    return true;
  }

  /** @param {RegExpExecArray} match */
  function holdHeader({ input }) {
    header = input;
    headerLevel = level;
    endLine();
  }

  /** The line was no header, so it is text. */
  function settleHeader() {
    if (!header) return;
    const here = level;
    level = headerLevel;
    beginParagraph();
    feedHeader();
    level = here;
  }

  function feedHeader() {
    for (const token of header) feed(token);
    header = '';
  }

  /**
   * Go into the open containers as far as the line does. Whether its first token was the mark of an open quote.
   * @param {string} token
   */
  function enterContainers(token) {
    const left = containers.slice(level);
    // Code takes the lines of its item at any indentation, unless it stands in a quote that has ended.
    const isInCode = leaf === 'pre' && left.every(({ mark }) => mark);
    for (const { mark, indent } of left) {
      if (mark ? column < indent && !isInCode : token !== '>') return false;
      level++;
      if (!mark) return true;
    }
    return false;
  }

  /** @param {Container} container */
  function enter(container) {
    output.open(container.mark ? 'li' : 'blockquote');
    containers.push(container);
    level++;
  }

  function closeLeaf() {
    if (!leaf) return;
    if (leaf !== 'pre') feed(END);
    output.close();
    leaf = '';
  }

  /** End what stands in the way of a new block, which goes into the container of this depth. */
  function leave(depth = level) {
    closeLeaf();
    while (containers.length > depth) {
      output.close();
      if (containers.pop()?.mark) output.close();
    }
  }

  /**
   * @param {'p' | 'h' | 'hr' | 'pre' | 'table'} type
   * @param {typeof feed} reader
   * @param {string} [detail] see Renderer
   */
  function openLeaf(type, reader, detail) {
    leave();
    output.open(type, detail);
    leaf = type;
    feed = reader;
  }

  return {
    feed: (token) => read(token),
    end() {
      if (read !== readStart) read('\n');
      settleHeader();
      leave(0);
    },
  };
}

/** How many columns the first of them takes. @param {string} blanks */
function widthOf(blanks) {
  return blanks.startsWith('\t') ? 4 : 1;
}
