import { createMarkdown } from '../markdown.js';
import { createRenderer } from '../render.js';
import { createTypewriter } from '../typewriter.js';

/**
 * @typedef {object} TextParts
 * @property {import('../types.js').Strings} words
 * @property {() => number} now
 * @property {import('../types.js').Schedule} schedule
 * @property {() => boolean} isInstant whether nobody would see the text flow
 */

/**
 * @typedef {object} Text
 * @property {(text: string, revision: number) => void} show all of the text that is known by now
 * @property {() => void} end no more text comes
 * @property {boolean} isWriting whether something is still to be written, or may come
 * @property {() => void} destroy ends the timer
 */

/**
 * An answer as it is written out: typewriter, then markdown, then nodes in `root`. Only what is
 * new is passed on, so what already stands there is left alone.
 *
 * @param {HTMLElement} root
 * @param {TextParts} parts
 * @param {() => void} onEnd everything was written, after `end`
 * @returns {Text}
 */
export function createText(root, { words, now, schedule, isInstant }, onEnd) {
  let revision = -1;
  let length = 0;
  let isEnded = false;
  let isWriting = true;
  let isLate = false;
  let markdown = createMarkdown(createRenderer(root, { document, strings: words }));
  const typewriter = createTypewriter({
    write: (text) => markdown.push(text),
    onIdle,
    now,
    schedule,
    isInstant: () => isLate || isInstant(),
  });

  function onIdle() {
    markdown.end();
    isWriting = false;
    onEnd();
  }

  function restart() {
    typewriter.clear();
    root.replaceChildren();
    markdown = createMarkdown(createRenderer(root, { document, strings: words }));
    length = 0;
    isEnded = false;
    isWriting = true;
  }

  return {
    show(text, next) {
      // Text after the end: the answer was stopped, and the server had got a little further.
      isLate = isEnded && text.length > length;
      if (isLate || (next !== revision && length)) restart();
      revision = next;
      typewriter.push(text.slice(length));
      length = text.length;
    },
    end() {
      if (isEnded) return;
      isEnded = true;
      typewriter.finish();
    },
    get isWriting() {
      return isWriting;
    },
    destroy: () => typewriter.clear(),
  };
}
