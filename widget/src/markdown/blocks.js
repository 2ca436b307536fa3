/**
 * Blocks: paragraphs, headings, quotes, lists, code, tables, rules.
 *
 * A line is read in two parts. At its start, blanks and the marks of the containers that are open
 * (`>`, or enough blanks for a list item) are counted. The first other character decides what the
 * line is: letters and most signs at once, the marks that may begin a block when the next ones
 * are known, which are held back meanwhile. The rest of the line then goes to the block it belongs
 * to as it comes.
 *
 * Held back are, at most LINE_HOLD characters each: a list's or heading's mark with what follows
 * it, the dashes of a rule, the line that opens a code block, the line of a table's header
 * together with the row of dashes below it. Whether a line end means a blank or the paragraph's
 * end is known with the next line.
 */

import { createCode } from './code.js';
import { createContainers } from './containers.js';
import { createInline } from './inline.js';
import { createTable, readDelimiterRow } from './table.js';

/** @typedef {import('../markdown.js').Renderer} Renderer */

/**
 * @typedef {object} Blocks
 * @property {(character: string) => void} feed
 * @property {() => void} end passes on what is held back and closes everything
 */

const LINE_HOLD = 1000;
const MARKS = /[-#`~|*_+:\d]/;
// A line of which not enough is known.
const UNDECIDED = /^(?:#{1,6}|`{1,2}|`{3,}[^`\n]*|~{1,2}|~{3,}[^\n]*|\|[^\n]*|[-*_+:][-*_+:| \t]*|\d{1,9}[.)]?)$/;
const HEADING = /^(#{1,6})[ \t\n]/;
const FENCE = /^(`{3,}|~{3,})([^\n]*)\n$/;
const RULE = /^([-*_])[ \t]*(?:\1[ \t]*){2,}\n$/;
const ITEM = /^([-+*]|(\d{1,9})([.)]))[ \t\n]/;

/**
 * @param {Renderer} output
 * @returns {Blocks}
 */
export function createBlocks(output) {
  const inline = createInline(output);
  const table = createTable(output, inline);
  const code = createCode(output);
  const containers = createContainers(output, closeLeaf);
  /** The innermost block, if it may go on. `text` is a paragraph without a `p` of its own.
   * @type {'' | 'p' | 'text' | 'h' | 'pre' | 'table'} */
  let leaf = '';
  /** Reads the next character. */
  let read = readStart;
  let column = 0;
  let blanks = '';
  let isAfterQuote = false;
  let held = '';
  /** A line that is a table's header if the next one says so.
   * @type {{line: string, level: number, isFirst: boolean} | null} */
  let header = null;

  function isParagraph() {
    return leaf === 'p' || leaf === 'text';
  }

  /** @param {string} text */
  function readAll(text) {
    for (const character of text) read(character);
  }

  /** @param {string} text */
  function putInline(text) {
    for (const character of text) inline.feed(character);
  }

  function endLine() {
    read = readStart;
    containers.beginLine();
    column = 0;
    blanks = '';
    isAfterQuote = false;
  }

  function closeLeaf() {
    if (isParagraph() || leaf === 'h') inline.end();
    if (leaf === 'table') table.end();
    else if (leaf && leaf !== 'text') output.close();
    leaf = '';
  }

  /** @param {string} character */
  function readStart(character) {
    if (character === '\n') return endBlankLine();
    if (character === ' ' || character === '\t') return readBlank(character);
    if (containers.enter(character, column, leaf === 'pre')) return enterQuote();
    if (leaf === 'pre') {
      if (containers.isInAll) return beginCodeLine(character);
      closeLeaf();
    }
    if (header && (containers.level !== header.level || !/[|:-]/.test(character))) settleHeader();
    if (character === '>' && containers.openQuote()) return enterQuote();
    const isRow = leaf === 'table' && containers.isInAll && character === '|';
    if (isRow || !MARKS.test(character)) return beginText(character);
    read = readMark;
    return readMark(character);
  }

  /** @param {string} character */
  function readBlank(character) {
    // The first one behind a quote's mark belongs to it.
    if (!isAfterQuote) {
      blanks += character;
      column += character === '\t' ? 4 - (column % 4) : 1;
    }
    isAfterQuote = false;
  }

  function endBlankLine() {
    const quote = containers.leftQuote();
    if (leaf === 'pre' && quote < 0) {
      code.skipLine();
    } else {
      settleHeader();
      closeLeaf();
    }
    if (quote >= 0) containers.closeTo(quote);
    endLine();
  }

  function enterQuote() {
    column = 0;
    blanks = '';
    isAfterQuote = true;
  }

  /** @param {string} character */
  function readMark(character) {
    held += character;
    if (held.length <= LINE_HOLD && UNDECIDED.test(held)) return;
    const line = held;
    held = '';
    if (beginTable(line)) return;
    settleHeader();
    if (beginHeading(line) || beginCode(line) || putRule(line) || beginItem(line) || holdHeader(line)) return;
    beginText(line);
  }

  /** @param {string} line */
  function beginTable(line) {
    const isPossible = header || (isParagraph() && containers.isInAll);
    const alignments = isPossible && line.endsWith('\n') ? readDelimiterRow(line) : null;
    if (!alignments) return false;
    containers.leave();
    leaf = 'table';
    table.begin(alignments, header ? header.line : '');
    header = null;
    endLine();
    return true;
  }

  /** @param {string} line */
  function holdHeader(line) {
    if (!/^\|.*\n$/.test(line)) return false;
    header = { line, level: containers.level, isFirst: !isParagraph() && containers.leave() };
    endLine();
    return true;
  }

  /** The line was no header, so it is text. */
  function settleHeader() {
    if (!header) return;
    beginParagraph(header.isFirst);
    putInline(header.line.slice(0, -1));
    header = null;
  }

  /** @param {string} line */
  function beginHeading(line) {
    const [, mark] = HEADING.exec(line) ?? [];
    if (!mark) return false;
    containers.leave();
    leaf = 'h';
    output.open('h', { level: mark.length });
    read = readHeading;
    readAll(line.slice(mark.length));
    return true;
  }

  /** @param {string} character */
  function readHeading(character) {
    if (/[# \t]/.test(character)) {
      held += character;
      return;
    }
    // A run of # at its end is no part of it.
    if (character !== '\n' || !/^[ \t]+#*[ \t]*$/.test(held)) putInline(held);
    held = '';
    if (character !== '\n') return inline.feed(character);
    closeLeaf();
    return endLine();
  }

  /** @param {string} line */
  function beginCode(line) {
    const [, fence, info = ''] = FENCE.exec(line) ?? [];
    if (!fence) return false;
    containers.leave();
    leaf = 'pre';
    code.begin(fence, column, info);
    endLine();
    return true;
  }

  /** @param {string} character */
  function beginCodeLine(character) {
    code.beginLine(column, blanks);
    read = readCode;
    readCode(character);
  }

  /** @param {string} character */
  function readCode(character) {
    if (code.feed(character)) closeLeaf();
    if (character === '\n') endLine();
  }

  /** @param {string} line */
  function putRule(line) {
    if (!RULE.test(line)) return false;
    containers.leave();
    output.open('hr');
    output.close();
    endLine();
    return true;
  }

  /** @param {string} line */
  function beginItem(line) {
    const [, marker, number, sign] = ITEM.exec(line) ?? [];
    if (!marker || isSentence(line, number)) return false;
    if (!containers.openItem(sign ?? marker, column, number)) return false;
    column += marker.length;
    blanks = '';
    read = readStart;
    readAll(line.slice(marker.length));
    return true;
  }

  /**
   * Whether a line that looks like an item goes on with a paragraph: a year that ends a sentence,
   * a lone dash.
   * @param {string} line
   * @param {string | undefined} number
   */
  function isSentence(line, number = '1') {
    return isParagraph() && containers.isInAll && (Number(number) !== 1 || line.endsWith('\n'));
  }

  /** @param {string} text */
  function beginText(text) {
    if (leaf === 'table' && containers.isInAll) {
      table.beginRow();
      read = readRow;
    } else {
      beginParagraph(!isParagraph() && containers.leave());
      read = readText;
    }
    readAll(text);
  }

  /** @param {boolean} isFirst */
  function beginParagraph(isFirst) {
    if (isParagraph()) return inline.feed('\n');
    leaf = isFirst ? 'text' : 'p';
    if (!isFirst) output.open('p');
    return undefined;
  }

  /** @param {string} character */
  function readText(character) {
    if (character === '\n') endLine();
    else inline.feed(character);
  }

  /** @param {string} character */
  function readRow(character) {
    table.feed(character);
    if (character === '\n') endLine();
  }

  return {
    feed: (character) => read(character),
    end() {
      read('\n');
      settleHeader();
      containers.closeTo(0);
    },
  };
}
