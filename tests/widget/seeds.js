/** Numbers that look random and are the same in every run. */

/** The generator of a seed: at least 0, below 1 (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A whole number below `limit`. */
export const below = (random, limit) => Math.floor(random() * limit);

/** One of `items`. */
export const oneOf = (random, items) => items[below(random, items.length)];

/** `text` or bytes cut into pieces of 1 to `longest`. */
export function pieces(random, whole, longest) {
  const cut = [];
  for (let from = 0; from < whole.length; ) {
    const to = from + 1 + below(random, longest);
    cut.push(whole.slice(from, to));
    from = to;
  }
  return cut;
}
