// What joins the cluster before it: marks (variation selectors, too), skin tones, joiners with what
// they join, the tags of regional flags. Flags are pairs, Korean parts of syllables stay together.
const CLUSTER =
  /\r\n|(?:\p{RI}{2}|[\uac00-\ud7a3]?[\u1100-\u11ff]+|[^])(?:[\p{M}\p{EMod}\u200c\u{e0020}-\u{e007f}]|\u200d[^])*/gu;

/**
 * Where the graphemes of a text begin and end: what a reader takes for one character is never
 * shown by halves.
 *
 * Browsers without Intl.Segmenter (Firefox before 125) get an approximation that keeps surrogate
 * pairs, combining marks, joined emoji, flags and Korean syllables whole.
 * @param {typeof Intl.Segmenter | null | undefined} [Segmenter]
 * @returns {import('./types.js').Clusters}
 */
export function createClusters(Segmenter = Intl.Segmenter) {
  if (!Segmenter) return clusterByPattern;
  const segmenter = new Segmenter();
  return (text, at) => {
    const { index, segment } = /** @type {Intl.SegmentData} */ (segmenter.segment(text).containing(at));
    return [index, index + segment.length];
  };
}

/** @type {import('./types.js').Clusters} */
function clusterByPattern(text, at) {
  CLUSTER.lastIndex = 0;
  let start = 0;
  while (CLUSTER.lastIndex <= at) {
    start = CLUSTER.lastIndex;
    CLUSTER.exec(text);
  }
  return [start, CLUSTER.lastIndex];
}
