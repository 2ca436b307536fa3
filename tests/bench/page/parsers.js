/**
 * Our markdown and that of others, on the same answers in the same pieces. Bundled by parsers.py;
 * in its page it is `bench`.
 *
 * Those that only know whole texts are used as pages use them while an answer comes in: all that
 * is there so far is rendered anew on every piece, or with their lexer only the blocks that changed.
 */

import { marked } from 'marked';
import markdownIt from 'markdown-it';
import * as smd from 'streaming-markdown';

import { createMarkdown } from '../../../widget/src/markdown.js';
import { createRenderer } from '../../../widget/src/render.js';
import { chat as words } from '../../../widget/src/strings/en.js';
import { ANSWERS } from '../../widget/fixtures/answers.js';

export const PIECE = 4;
const MIXED = ANSWERS.join('\n\n');
const NOWHERE = { open() {}, close() {}, text() {} };
const NOWHERE_OF_SMD = { data: null, add_token() {}, end_token() {}, add_text() {}, set_attr() {} };
const it = markdownIt({ linkify: true });

const ours = (renderer) => {
  const { push, end } = createMarkdown(renderer);
  return { push, end };
};

const streaming = (renderer) => {
  const parser = smd.parser(renderer);
  return { push: (piece) => smd.parser_write(parser, piece), end: () => smd.parser_end(parser) };
};

const whole = (toHtml, show) => {
  let text = '';
  return { push: (piece) => show(toHtml((text += piece))), end() {} };
};

/** Blocks by marked's lexer; only those whose source has changed are made into HTML. */
const changedBlocks = (show) => {
  let text = '';
  let before = [];
  return {
    push(piece) {
      const blocks = marked.lexer((text += piece));
      blocks.forEach((block, at) => {
        if (before[at] !== block.raw) show(marked.parser([block]), at);
      });
      before = blocks.map(({ raw }) => raw);
    },
    end() {},
  };
};

const ignore = () => {};
const into = (root) => (html) => {
  root.innerHTML = html;
};
const intoBlock = (root) => (html, at) => {
  while (root.childElementCount <= at) root.append(document.createElement('div'));
  root.children[at].innerHTML = html;
};

/** Each by its name: a reader that gives its result to nobody, and one that puts it into an element. */
export const CONTESTANTS = {
  Chatbubble: { parse: () => ours(NOWHERE), show: (root) => ours(createRenderer(root, words)) },
  'streaming-markdown': {
    parse: () => streaming(NOWHERE_OF_SMD),
    show: (root) => streaming(smd.default_renderer(root)),
  },
  'marked, all anew': {
    parse: () => whole((text) => marked.parse(text), ignore),
    show: (root) => whole((text) => marked.parse(text), into(root)),
  },
  'marked, changed blocks': { parse: () => changedBlocks(ignore), show: (root) => changedBlocks(intoBlock(root)) },
  'markdown-it, all anew': {
    parse: () => whole((text) => it.render(text), ignore),
    show: (root) => whole((text) => it.render(text), into(root)),
  },
};

/** An answer of that many UTF-16 units, with everything that models write. */
export function answer(length) {
  return MIXED.repeat(Math.ceil(length / MIXED.length)).slice(0, length).toWellFormed();
}

function* piecesOf(text) {
  for (let at = 0; at < text.length; at += PIECE) yield text.slice(at, at + PIECE);
}

function start(name, mode) {
  document.body.replaceChildren();
  return CONTESTANTS[name][mode](document.body.appendChild(document.createElement('div')));
}

/** Milliseconds for a whole answer, and for its slowest piece. */
export function time(name, mode, length) {
  const pieces = [...piecesOf(answer(length))];
  const reader = start(name, mode);
  let slowest = 0;
  const began = performance.now();
  let last = began;
  for (const piece of pieces) {
    reader.push(piece);
    const now = performance.now();
    slowest = Math.max(slowest, now - last);
    last = now;
  }
  reader.end();
  return { took: performance.now() - began, slowest };
}

/** How many nodes were taken off the page again while the answer came in, those inside of others included. */
export function countRemoved(name, length) {
  const reader = start(name, 'show');
  const observer = new MutationObserver(ignore);
  observer.observe(document.body, { subtree: true, childList: true });
  const count = (node) => [...node.childNodes].reduce((sum, child) => sum + count(child), 1);
  let removed = 0;
  for (const piece of piecesOf(answer(length))) {
    reader.push(piece);
    for (const { removedNodes } of observer.takeRecords()) {
      removed += [...removedNodes].reduce((sum, node) => sum + count(node), 0);
    }
  }
  observer.disconnect();
  return removed;
}
