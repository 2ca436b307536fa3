import { isEdge, RUNS, WORD_START } from './patterns.js';

/** @typedef {import('./inline.js').Paragraph} Paragraph */

/** How many spans and links may be open inside each other. */
const MAX_DEPTH = 16;

/**
 * Close or open emphasis.
 *
 * @param {Paragraph} paragraph
 * @param {RegExpExecArray} match the run of delimiters, its mark and the character behind it
 * @returns {number} how many of the held characters that took, 0 when more have to be seen
 */
export function putDelimiters(paragraph, [run, mark = '', after = '']) {
  const { before, depth, output, spans } = paragraph;
  // Nobody means bold within bold: models put a blank or a sign on the wrong side.
  const isMeant = run.length === 2 && mark !== '_' && spans.includes(run) && /\S/.test(before + after);
  const closed = isMeant || isEdge(mark, before, after) ? closeSpans(paragraph, run) : 0;
  if (closed) return closed;
  // 2*3 is a product.
  const isText = !/^(?:[*_]{1,3}|~~)$/.test(run) || !isEdge(mark, after, before) || /^\d\d/.test(before + after);
  if (isText || depth + spans.length > MAX_DEPTH - 2) {
    output.text(run);
    return run.length;
  }
  const isSure = run.length > 1 && WORD_START.test(before + after);
  if (!isSure && !hasCloser(paragraph, run)) return 0;
  if (run.length === 3) openSpan(paragraph, mark);
  openSpan(paragraph, run.length === 3 ? mark + mark : run);
  return run.length;
}

/**
 * Close what is open at the end of a paragraph.
 *
 * @param {Paragraph} paragraph
 * @returns {void}
 */
export function endSpans(paragraph) {
  while (paragraph.spans.pop()) paragraph.output.close();
  paragraph.before = '\n';
}

/**
 * @param {Paragraph} paragraph
 * @param {string} span its delimiters
 */
function openSpan({ output, spans }, span) {
  const wide = span === '~~' ? 'del' : 'strong';
  output.open(span.length > 1 ? wide : 'em');
  spans.push(span);
}

/**
 * Close what a run of delimiters closes: the span that is as wide as the run, else the innermost
 * ones. A span that was opened later and is still open goes on behind it.
 *
 * @param {Paragraph} paragraph
 * @param {string} run
 * @returns {number} how many of the delimiters that took
 */
function closeSpans(paragraph, run) {
  const { output, spans } = paragraph;
  for (let left = run; ; ) {
    const exact = spans.lastIndexOf(left);
    const at = exact < 0 ? spans.findLastIndex((span) => left.startsWith(span)) : exact;
    if (at < 0) return run.length - left.length;
    const [closed = '', ...later] = spans.splice(at);
    for (let count = 0; count <= later.length; count++) output.close();
    for (const span of later) openSpan(paragraph, span);
    left = left.slice(closed.length);
  }
}

/**
 * @param {Paragraph} paragraph
 * @param {string} run the delimiters at its beginning
 */
function hasCloser(paragraph, run) {
  const start = Math.max(run.length, paragraph.seen);
  let isUseless = true;
  for (const match of paragraph.held.slice(start).matchAll(RUNS)) {
    const [, inside = '', other = '', mark = '', outside = ''] = match;
    const fits = run.length > 1 ? other.length > 1 : other.length !== 2;
    const canClose = isEdge(mark, inside, outside);
    if (canClose && fits && run.startsWith(mark)) return true;
    // What closes nothing need not be looked at again, for this run or for a later one.
    isUseless &&= !canClose;
    if (isUseless) paragraph.seen = start + match.index + 1;
  }
  return false;
}
