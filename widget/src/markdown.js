/**
 * Markdown, read as it is written: what was passed on stays as it is, and what comes next is
 * added behind it.
 *
 * The text goes through three pure stages, one character at a time: cleaning (text-hygiene.js),
 * blocks (markdown/blocks.js) and inline constructs (markdown/inline.js). No stage ever sees where
 * the network cut the text, so the result cannot depend on it. A stage that cannot tell yet what
 * a character means holds it back: see the two files for how long.
 *
 * The grammar is that of GFM with these differences, each for the sake of streaming, of safety or
 * of what models write:
 * - no setext headings, indented code, reference links or footnotes; `---` is always a rule;
 * - HTML is text, but for `<br>`, the only line break a table cell has; images are links;
 * - emphasis works beside Chinese, Japanese and Korean characters, never between two digits, and
 *   bold that is never closed lasts until its paragraph ends;
 * - a list item may be nested by two columns whatever its marker's width; an open code block takes
 *   its item's lines at any indentation;
 * - the first text of a list item stands in the item itself, what follows a blank line in a `p`;
 * - a table's header starts with a pipe. A delimiter row right under a paragraph starts a table
 *   without header. Surplus cells are kept.
 */

import { createBlocks } from './markdown/blocks.js';
import { createTextHygiene } from './text-hygiene.js';

/**
 * What is rendered of one text at most, in UTF-16 units. The rest is replaced by a notice.
 */
export const MAX_TEXT = 64 * 1024;

/**
 * An element by its HTML name; `h` is a heading of the given level, `notice` says that something
 * is not shown because it is too long.
 *
 * @typedef {'p' | 'h' | 'blockquote' | 'ul' | 'ol' | 'li' | 'pre' | 'table' | 'tr' | 'th' | 'td' | 'hr' | 'notice'
 *   | 'em' | 'strong' | 'del' | 'code' | 'a' | 'br'} ElementType
 */

/**
 * All values but `level` are the model's words: nothing here has been checked.
 *
 * @typedef {object} Attributes
 * @property {number} [level] of a heading, 1 to 6
 * @property {number} [start] of an ordered list
 * @property {string} [language] of a code block; may be empty
 * @property {string} [align] of a table cell: left, center, right or empty
 * @property {string} [href] of a link
 * @property {string} [title] of a link; may be empty
 */

/**
 * Where the elements and their text go.
 *
 * @typedef {object} Renderer
 * @property {(type: ElementType, attributes?: Attributes) => void} open begins an element inside the open one
 * @property {() => void} close ends the element that was opened last
 * @property {(text: string) => void} text adds to the open element; never half a surrogate pair
 */

/**
 * @typedef {object} Markdown
 * @property {(text: string) => void} push
 * @property {() => void} end no more text comes: passes on what was held back; what is pushed later is ignored
 */

/**
 * A reader for one text.
 *
 * @param {Renderer} renderer
 * @returns {Markdown}
 */
export function createMarkdown(renderer) {
  const hygiene = createTextHygiene();
  const output = createOutput(renderer);
  const blocks = createBlocks(output);
  let room = MAX_TEXT;

  /** @param {string} text */
  function read(text) {
    for (const character of text) {
      room -= character.length;
      if (room < 0) return end(true);
      blocks.feed(character);
    }
    output.flush();
  }

  /** @param {boolean} isCut */
  function end(isCut) {
    room = -1;
    blocks.end();
    if (isCut) {
      output.open('notice');
      output.close();
    }
    output.flush();
  }

  return {
    push(text) {
      if (room >= 0) read(hygiene.push(text));
    },
    end() {
      if (room >= 0) read(hygiene.end());
      if (room >= 0) end(false);
    },
  };
}

/**
 * Joins neighbouring text, so that the renderer is called once per piece and not per character.
 *
 * @param {Renderer} renderer
 * @returns {Renderer & {flush: () => void}}
 */
function createOutput(renderer) {
  let pending = '';

  function flush() {
    if (pending) renderer.text(pending);
    pending = '';
  }

  return {
    open(type, attributes = {}) {
      flush();
      renderer.open(type, attributes);
    },
    close() {
      flush();
      renderer.close();
    },
    text(text) {
      pending += text;
    },
    flush,
  };
}
