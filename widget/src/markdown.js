/**
 * Markdown, read as it is written: what was passed on stays as it is, and what comes next is
 * added behind it.
 *
 * The text is read character by character in three stages: cleaning (text-hygiene.js), blocks
 * (markdown/blocks.js) and inline constructs (markdown/inline.js). None of them sees where the
 * network cut the text, so the result cannot depend on that. What is ambiguous is held back: see
 * the two files for how long. Letters in a row, which are never ambiguous, go through together, as
 * one token; any other character is a token of its own.
 *
 * The grammar is that of GFM with these differences, each for the sake of streaming, of safety or
 * of what models write (a test lists them against marked):
 * - bold and deleted text that begins like a word opens at once, and lasts until its paragraph ends
 *   if nothing closes it. There is none within itself, so its mark closes it even with a blank or a
 *   sign on the wrong side. Emphasis of more than 256 characters is text;
 * - emphasis works beside Chinese, Japanese and Korean characters, never between two digits; a
 *   single tilde is text;
 * - HTML is text, but for `<br>`, the only line break that a table cell has. Images are links, titles
 *   of links are dropped, a task is text;
 * - a bare address ends before an East Asian character, an arrow or the like, a pipe or an asterisk;
 * - no setext headings, indented code, reference links or footnotes: `---` is always a rule;
 * - no list is tight: the text of an item stands in a `p`. Two columns nest an item whatever its
 *   marker's width; open code takes its item's lines at any indentation;
 * - a table's header begins with a pipe. A row of dashes for two columns or more right under a
 *   paragraph begins a table without header. Surplus cells are kept.
 */

import { createBlocks } from './markdown/blocks.js';
import { createHygiene } from './text-hygiene.js';

/** What is rendered of one text, in UTF-16 units. A notice stands for the rest. */
export const MAX_TEXT = 64 * 1024;

// Letters are read several at a time: they are text wherever they stand.
const TOKENS = /[a-zA-Z]+|[^]/gu;

/**
 * An element by its HTML name; `h` is a heading, `notice` says that something is too long to be
 * shown.
 *
 * @typedef {'p' | 'h' | 'blockquote' | 'ul' | 'ol' | 'li' | 'pre' | 'table' | 'tr' | 'th' | 'td' | 'hr' | 'notice'
 *   | 'em' | 'strong' | 'del' | 'code' | 'a' | 'br'} ElementType
 */

/**
 * Where the elements and their text go. `detail` is the address of a link, the language of a code
 * block, the number of an ordered list's first item, a heading's `#` marks, or a cell's alignment
 * (left, center, right); empty where there is none. Address and language are the model's words,
 * nobody has checked them.
 *
 * @typedef {object} Renderer
 * @property {(type: ElementType, detail?: string) => void} open begins an element inside the open one
 * @property {() => void} close ends the element that was opened last
 * @property {(text: string) => void} text adds to the open element; never half a surrogate pair
 */

/**
 * @typedef {object} Markdown
 * @property {(text: string) => void} push
 * @property {() => void} end no more text comes: passes on what is held back. What is pushed later is ignored
 */

/**
 * A reader for one text.
 *
 * @param {Renderer} renderer
 * @returns {Markdown}
 */
export function createMarkdown(renderer) {
  let pending = '';
  let carry = '';
  let room = MAX_TEXT;
  let isEnded = false;
  const isHarmless = createHygiene();
  const blocks = createBlocks({
    open(type, detail) {
      flush();
      renderer.open(type, detail);
    },
    close() {
      flush();
      renderer.close();
    },
    text(text) {
      pending += text;
    },
  });

  /** The renderer is called once for text that lies together, not for each character. */
  function flush() {
    if (pending) renderer.text(pending);
    pending = '';
  }

  function end() {
    if (isEnded) return;
    isEnded = true;
    blocks.end();
    flush();
  }

  return {
    push(text) {
      if (isEnded) return;
      const all = carry + text;
      // Half a surrogate pair waits for its other half.
      const length = all.length - Number(/[\ud800-\udbff]$/.test(all));
      carry = all.slice(length);
      for (const token of all.slice(0, Math.min(length, room)).match(TOKENS) ?? []) {
        if (isHarmless(token)) blocks.feed(token);
      }
      flush();
      room -= length;
      if (room >= 0) return;
      end();
      renderer.open('notice');
      renderer.close();
    },
    end,
  };
}
