import { schedule } from '../dom.js';
import { createMarkdown } from '../markdown.js';
import { createRenderer } from '../render.js';
import { createTypewriter } from '../typewriter.js';

/**
 * @typedef {object} Text
 * @property {(text: string, revision: number) => void} show all of the text that is known by now
 * @property {() => void} flush writes at once what is not written yet
 * @property {() => void} end no more text comes
 * @property {boolean} isWriting whether something is still to be written, or may come
 * @property {() => void} destroy ends the timer
 */

/**
 * An answer as it is written out: typewriter, then markdown, then nodes in `root`. Only what is
 * new is passed on, so what already stands there is left alone.
 *
 * @param {HTMLElement} root
 * @param {import('../types.js').Words} words
 * @param {boolean} isOld an answer of earlier is there at once
 * @param {() => void} onEnd everything was written, after `end`
 * @returns {Text}
 */
export function createText(root, words, isOld, onEnd) {
  let revision = 0;
  let length = 0;
  let isEnded = false;
  let isWriting = true;
  let markdown = begin();
  let cursor = root;
  // In a hidden tab nobody sees the text flow, and some do not want to.
  const isInstant = () => isOld || document.hidden || matchMedia('(prefers-reduced-motion: reduce)').matches;
  const typewriter = createTypewriter({ write, onIdle, now: Date.now, schedule, isInstant });

  function begin() {
    return createMarkdown(createRenderer(root, words));
  }

  function restart() {
    typewriter.clear();
    root.replaceChildren();
    markdown = begin();
    length = 0;
    isEnded = false;
    isWriting = true;
  }

  /** @param {string} text */
  function write(text) {
    markdown.push(text);
    // The cursor stands where the last text went, be it a list's item, a table's cell or code.
    let last = root;
    while (last.lastChild instanceof HTMLElement) last = last.lastChild;
    if (last === cursor) return;
    cursor.classList.remove('cursor');
    cursor = last;
    cursor.classList.add('cursor');
  }

  function onIdle() {
    markdown.end();
    isWriting = false;
    onEnd();
  }

  return {
    show(text, next) {
      // More after the end: the server's copy of the conversation knows more than its stream told.
      if (next !== revision || (isEnded && text.length > length)) restart();
      revision = next;
      typewriter.push(text.slice(length));
      length = text.length;
    },
    flush: typewriter.flush,
    end() {
      if (isEnded) return;
      isEnded = true;
      typewriter.finish();
    },
    get isWriting() {
      return isWriting;
    },
    destroy: typewriter.clear,
  };
}
