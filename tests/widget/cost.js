/** What a piece of work costs the processor: unlike the clock, it does not care who else is busy. */

/** Processor time of `run`, in milliseconds. */
function costOf(run) {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/**
 * How much more `run(large)` costs than `run(small)`: the best of three each, after a warm-up.
 * For `large` of ten times `small`, linear work gives about 10 and quadratic work 100.
 */
export function growth(run, small, large) {
  const best = (size) => Math.min(...[1, 2, 3].map(() => costOf(() => run(size))));
  run(small);
  return best(large) / best(small);
}
