/**
 * Where the graphemes of a text begin and end: what a reader takes for one character is never
 * shown by halves.
 *
 * Browsers without Intl.Segmenter (Firefox before 125) cannot tell. There the whole text is one:
 * it comes in fewer, larger pieces, each in time.
 * @param {typeof Intl.Segmenter | null | undefined} [Segmenter]
 * @returns {import('./types.js').Clusters}
 */
export function createClusters(Segmenter = Intl.Segmenter) {
  const segmenter = Segmenter && new Segmenter();
  return (text, at) => {
    const { index = 0, segment = text } = segmenter?.segment(text).containing(at) ?? {};
    return [index, index + segment.length];
  };
}
