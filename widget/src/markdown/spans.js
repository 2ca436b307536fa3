/** How many spans may be open inside each other. */
const MAX_SPANS = 16;

/** @typedef {import('../markdown.js').Renderer} Renderer */

/**
 * The emphasis that is open: which delimiters opened it, and in which order.
 *
 * @typedef {object} Spans
 * @property {(mark: string, width: number) => boolean} hasRoom whether a run of delimiters can be a span at all
 * @property {(mark: string, width: number) => void} open
 * @property {(mark: string, width: number) => number} close closes what a run of delimiters closes, and gives how
 *   many of them that took
 * @property {() => void} closeAll
 * @property {() => number} count
 */

/**
 * @param {Renderer} output
 * @param {number} outside how many spans are open around these
 * @returns {Spans}
 */
export function createSpans(output, outside) {
  /** @type {{mark: string, width: number, type: 'em' | 'strong' | 'del'}[]} */
  const spans = [];

  /** @param {typeof spans[number]} span */
  function openSpan(span) {
    output.open(span.type);
    spans.push(span);
  }

  /**
   * A span that was opened later and is still open goes on behind the closed one.
   * @param {typeof spans[number]} span
   */
  function closeSpan(span) {
    const [, ...later] = spans.splice(spans.lastIndexOf(span));
    for (let count = 0; count <= later.length; count++) output.close();
    later.forEach(openSpan);
  }

  return {
    hasRoom(mark, width) {
      const isSpan = mark === '~' ? width === 2 : width < 4;
      return isSpan && outside + spans.length + (width > 2 ? 2 : 1) <= MAX_SPANS;
    },
    open(mark, width) {
      if (width !== 2) openSpan({ mark, width: 1, type: 'em' });
      if (width !== 1) openSpan({ mark, width: 2, type: mark === '~' ? 'del' : 'strong' });
    },
    close(mark, width) {
      let left = width;
      for (;;) {
        const open = spans.filter((span) => span.mark === mark && span.width <= left);
        const span = (left === 2 && open.findLast((each) => each.width === 2)) || open.at(-1);
        if (!span) return width - left;
        closeSpan(span);
        left -= span.width;
      }
    },
    closeAll() {
      while (spans.pop()) output.close();
    },
    count: () => outside + spans.length,
  };
}
