const SHORTEST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 60_000;

/**
 * How long to wait between attempts: full jitter, so that ten thousand clients cut at the same
 * moment do not come back at the same moment.
 *
 * The first wait lies between 0 and `firstMs`, wait number n between 0 and
 * `min(capMs, baseMs * 2^n)`, but never in a smaller span than the first.
 * @param {object} options
 * @param {() => number} options.random at least 0, below 1
 * @param {number} [options.baseMs]
 * @param {number} [options.capMs]
 * @param {number} [options.firstMs]
 * @returns {import('./types.js').Backoff}
 */
export function createBackoff({ random, baseMs = 500, capMs = 20_000, firstMs = 1000 }) {
  let attempt = 0;
  return {
    next() {
      const spanMs = Math.max(firstMs, attempt && Math.min(capMs, baseMs * 2 ** attempt));
      attempt += 1;
      return Math.floor(random() * spanMs);
    },
    reset() {
      attempt = 0;
    },
    setRetry(ms) {
      // Unclamped, a huge value overflows the browser's 32-bit timer and fires at once.
      firstMs = Math.min(LONGEST_RETRY_MS, Math.max(SHORTEST_RETRY_MS, ms));
    },
  };
}
