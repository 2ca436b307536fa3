/**
 * Inline constructs: emphasis, code, links, line breaks, entities.
 *
 * What means nothing but itself is passed on at once. A character that may begin a construct is
 * held back, with all that follows, until that is settled:
 *
 * - code, links and addresses: until they are complete. Before that they do not exist;
 * - emphasis: until something that can close it is seen. Bold and deleted words that begin as a
 *   word does are opened at once: most answers are full of them, and practically all are closed.
 *   One that is not lasts until its paragraph ends;
 * - escapes, entities and line breaks: one to six characters.
 *
 * What is not settled when the paragraph ends, or within HOLD characters (ADDRESS_HOLD where an
 * address is being read), was none: its first character is text, and the rest is looked at anew.
 */

import {
  ADDRESS, ANGLE, BLANKS, CODE, DELIMITERS, END, ENTITY, ESCAPE, isEdge, LINK, PLAIN, RUNS, WORD_START,
} from './patterns.js';

/** How many spans and links may be open inside each other. */
const MAX_DEPTH = 16;
const HOLD = 256;
const ADDRESS_HOLD = 1024;

/** @type {Record<string, string>} */
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: '\u00a0' };

/**
 * How to read a construct: what it begins with; what it looks like when it is complete, or cannot
 * become complete; what puts it out then, which gives how many of the held characters that took,
 * or 0 when more have to be seen.
 *
 * @typedef {readonly [starts: string, whole: RegExp, put: (match: RegExpExecArray) => number]} Rule
 */

/**
 * A reader of paragraphs, one after the other.
 *
 * @param {import('../markdown.js').Renderer} output
 * @param {number} [depth] how many spans and links it is in, for the label of a link; 0 if it is none
 * @returns {(token: string) => void} takes one token, line ends included, and END behind the last one of a paragraph,
 *   which passes on what is held back and closes what is open
 */
// eslint-disable-next-line house/own-lines -- variables, rules and their descriptions; no function inside is long
export function createInline(output, depth = 0) {
  let held = '';
  // The character before what is held back; a line end where there is none.
  let before = '\n';
  /** The delimiters of the emphasis that is open. @type {string[]} */
  const spans = [];
  // How many of the held characters contain no delimiters that can close something.
  let seen = 0;

  /** @type {Rule[]} */
  const rules = [
    [' \t\n', BLANKS, putBlanks],
    ['*_~', DELIMITERS, putDelimiters],
    ['`', CODE, putCode],
    ['h', ADDRESS, putAddress],
    ['![', LINK, putLink],
    ['<', ANGLE, putAngle],
    ['&', ENTITY, ([whole, name]) => putText(name ? ENTITIES[name] : whole, whole)],
    ['\\', ESCAPE, putEscaped],
    [END, /^/, () => 1],
  ];

  /** @param {string} text */
  function ruleOf(text) {
    return rules.find(([starts]) => starts.includes(text.charAt(0)));
  }

  function settle() {
    while (held) {
      const length = readNext();
      if (!length) return;
      before = held.charAt(length - 1);
      held = held.slice(length);
      seen = Math.max(0, seen - length);
    }
  }

  /** How many of the held characters were dealt with; 0 while more have to be seen. */
  function readNext() {
    // An address begins no word's middle, and no link's label.
    const rule = held.startsWith('h') && (depth || /\w/.test(before)) ? undefined : ruleOf(held);
    if (!rule) return putPlain();
    const match = rule[1].exec(held);
    const length = match && rule[2](match);
    const isSettled = held.length > (/^[h<]|]\(/.test(held) ? ADDRESS_HOLD : HOLD) || held.endsWith(END);
    return length || (isSettled ? putPlain() : 0);
  }

  /**
   * @param {string | undefined} text
   * @param {string} whole what it stands for
   */
  function putText(text = '', whole = text) {
    output.text(text);
    return whole.length;
  }

  function putPlain() {
    return putText(PLAIN.exec(held)?.[0]);
  }

  /** @param {RegExpExecArray} match */
  function putBlanks([whole, blanks = '', lineEnd, next]) {
    if (next === END) return whole.length;
    if (lineEnd && blanks.length > 1) return putBreak(whole);
    return putText(lineEnd || before !== '\n' ? lineEnd || blanks : '', whole);
  }

  /** @param {RegExpExecArray} match */
  function putCode({ 0: whole, 2: content = '' }) {
    const code = content.replaceAll('\n', ' ');
    output.open('code');
    output.text(code.replace(/^ (.*[^ ].*) $/, '$1'));
    output.close();
    return whole.length;
  }

  /** @param {RegExpExecArray} match */
  function putAddress([whole]) {
    if (whole === 'h') return putPlain();
    // Without a parenthesis that was opened before it, and the sentence's own punctuation.
    const [paired] = /** @type {RegExpExecArray} */ (/^(?:[^()]|\([^()]*\))+/.exec(whole));
    const address = paired.replace(/[.,:;!?'"_~]+$/, '');
    return putAnchor(address, address, address);
  }

  /** @param {RegExpExecArray} match */
  function putLink([whole, label = '', pointed, plain]) {
    const target = pointed ?? plain;
    if (target === undefined) return putPlain();
    return putAnchor(whole, target.replace(/\\([!-/:-@[-`{-~])/g, '$1').replaceAll('&amp;', '&'), label, true);
  }

  /** @param {RegExpExecArray} match */
  function putAngle([whole, address]) {
    if (address) return putAnchor(whole, address.includes(':') ? address : `mailto:${address}`, address);
    return whole.length > 1 ? putBreak(whole) : putText(whole);
  }

  /** @param {RegExpExecArray} match */
  function putEscaped([whole, sign, lineEnd]) {
    return lineEnd ? putBreak(whole) : putText(sign ?? whole, whole);
  }

  /** @param {string} whole */
  function putBreak(whole) {
    output.open('br');
    output.close();
    return whole.length;
  }

  /**
   * @param {string} whole
   * @param {string} address
   * @param {string} label
   * @param {boolean} [isMarkdown] whether the label is
   */
  function putAnchor(whole, address, label, isMarkdown) {
    // There are no links in links.
    if (!depth) output.open('a', address);
    if (isMarkdown) Array.from(label + END, createInline(output, depth + spans.length + 1));
    else output.text(label);
    if (!depth) output.close();
    return whole.length;
  }

  /**
   * Close or open emphasis.
   * @param {RegExpExecArray} match the run of delimiters, its mark and the character behind it
   */
  function putDelimiters([run, mark = '', after = '']) {
    // Nobody means bold within bold: models put a blank or a sign on the wrong side.
    const isMeant = run.length === 2 && mark !== '_' && spans.includes(run) && /\S/.test(before + after);
    const closed = isMeant || isEdge(mark, before, after) ? closeSpans(run) : 0;
    if (closed) return closed;
    // 2*3 is a product.
    const isText = !/^(?:[*_]{1,3}|~~)$/.test(run) || !isEdge(mark, after, before) || /^\d\d/.test(before + after);
    if (isText || depth + spans.length > MAX_DEPTH - 2) return putText(run);
    const isSure = run.length > 1 && WORD_START.test(before + after);
    if (!isSure && !hasCloser(run)) return 0;
    if (run.length === 3) openSpan(mark);
    openSpan(run.slice(-2));
    return run.length;
  }

  /** @param {string} span its delimiters */
  function openSpan(span) {
    const narrow = span.length > 1 ? 'strong' : 'em';
    output.open(span === '~~' ? 'del' : narrow);
    spans.push(span);
  }

  /**
   * Close what a run of delimiters closes: the span that is as wide as the run, else the innermost
   * ones. A span that was opened later and is still open goes on behind it.
   *
   * @param {string} run
   * @returns {number} how many of the delimiters that took
   */
  function closeSpans(run) {
    for (let left = run; ; ) {
      const exact = spans.lastIndexOf(left);
      const at = exact < 0 ? spans.findLastIndex((span) => left.startsWith(span)) : exact;
      if (at < 0) return run.length - left.length;
      const [closed = '', ...later] = spans.splice(at);
      for (let count = 0; count <= later.length; count++) output.close();
      later.forEach(openSpan);
      left = left.slice(closed.length);
    }
  }

  /** @param {string} run the delimiters at the beginning of what is held back */
  function hasCloser(run) {
    const start = Math.max(run.length, seen);
    let isUseless = true;
    for (const match of held.slice(start).matchAll(RUNS)) {
      const [, inside = '', other = '', mark = '', outside = ''] = match;
      const fits = run.length > 1 ? other.length > 1 : other.length !== 2;
      const canClose = isEdge(mark, inside, outside);
      if (canClose && fits && run.startsWith(mark)) return true;
      // What closes nothing need not be looked at again, for this run or for a later one.
      isUseless &&= !canClose;
      if (isUseless) seen = start + match.index + 1;
    }
    return false;
  }

  return (token) => {
    // Most of all text: words, and single blanks between them.
    if ((!held || (held === ' ' && before !== '\n')) && !ruleOf(token)) {
      output.text(held + token);
      held = '';
      before = token.slice(-1);
      return;
    }
    held += token;
    settle();
    if (token !== END) return;
    while (spans.pop()) output.close();
    before = '\n';
  };
}
