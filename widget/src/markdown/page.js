import { createInline } from './inline.js';
import { END } from './patterns.js';

/** @typedef {import('../markdown.js').Renderer} Renderer */

/**
 * An open quote or list item.
 *
 * @typedef {object} Container
 * @property {string} mark of the list, `-` or `.` for example; empty for a quote
 * @property {number} indent the column from which on a line belongs to the item
 */

/**
 * What is open, and where the line is. Columns count from its start, or behind the last `>`.
 *
 * @typedef {object} Page
 * @property {Renderer} output
 * @property {(token: string) => void} inline
 * @property {(page: Page, token: string) => void} read takes the next token
 * @property {Container[]} containers
 * @property {number} level how many of them the line is in, as far as that is known
 * @property {'' | 'p' | 'h' | 'pre' | 'table'} leaf the innermost block, if it may go on
 * @property {(token: string) => boolean | void} feed takes its characters and says when it has ended
 * @property {number} codeColumn where the fence of a code block stands
 * @property {number} column where the text of the line begins; -1 is directly behind a `>`
 * @property {string} blanks before it
 * @property {string} held what may be the mark of a block
 * @property {string} header a line that is a table's header if the next one says so
 * @property {number} headerLevel how many containers it is in
 */

/**
 * @param {Renderer} output
 * @param {Page['read']} read
 * @returns {Page}
 */
export function createPage(output, read) {
  const inline = createInline(output);
  return {
    output,
    inline,
    read,
    containers: [],
    level: 0,
    leaf: '',
    feed: inline,
    codeColumn: 0,
    column: 0,
    blanks: '',
    held: '',
    header: '',
    headerLevel: 0,
  };
}

/**
 * @param {Page} page
 * @returns {boolean} whether the line is in all that is open
 */
export function isInAll({ level, containers }) {
  return level === containers.length;
}

/**
 * Go into the open containers as far as the line does.
 *
 * @param {Page} page
 * @param {string} token the first that is not blank
 * @returns {boolean} whether it was the mark of an open quote
 */
export function enterContainers(page, token) {
  const left = page.containers.slice(page.level);
  // Code takes the lines of its item at any indentation, unless it stands in a quote that has ended.
  const isInCode = page.leaf === 'pre' && left.every(({ mark }) => mark);
  for (const { mark, indent } of left) {
    if (mark ? page.column < indent && !isInCode : token !== '>') return false;
    page.level++;
    if (!mark) return true;
  }
  return false;
}

/**
 * @param {Page} page
 * @returns {void}
 */
export function closeLeaf(page) {
  if (!page.leaf) return;
  if (page.leaf !== 'pre') page.feed(END);
  page.output.close();
  page.leaf = '';
}

/**
 * End what stands in the way of a new block.
 *
 * @param {Page} page
 * @param {number} [depth] of the container it goes into; by default the innermost that the line is in
 * @returns {void}
 */
export function leave(page, depth = page.level) {
  closeLeaf(page);
  while (page.containers.length > depth) {
    page.output.close();
    if (page.containers.pop()?.mark) page.output.close();
  }
}

/**
 * Begin a block that takes text.
 *
 * @param {Page} page
 * @param {'p' | 'h' | 'pre' | 'table'} leaf
 * @param {Page['feed']} feed
 * @param {string} [detail] see Renderer
 * @returns {void}
 */
export function openLeaf(page, leaf, feed, detail) {
  leave(page);
  page.output.open(leaf, detail);
  page.leaf = leaf;
  page.feed = feed;
}

/**
 * Begin a quote.
 *
 * @param {Page} page
 * @returns {void}
 */
export function openQuote(page) {
  leave(page);
  page.output.open('blockquote');
  page.containers.push({ mark: '', indent: 0 });
  page.level++;
}

/**
 * Begin a list item: the next one of the list that the line is in, else the first of a new list.
 *
 * @param {Page} page
 * @param {Container} item
 * @param {string | undefined} number of the item, in an ordered list
 * @returns {void}
 */
export function openItem(page, item, number) {
  if (page.containers[page.level]?.mark === item.mark) {
    leave(page, page.level + 1);
    page.containers.pop();
    page.output.close();
  } else {
    leave(page);
    page.output.open(number ? 'ol' : 'ul', number);
  }
  page.output.open('li');
  page.containers.push(item);
  page.level++;
}
