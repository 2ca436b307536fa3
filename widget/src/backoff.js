const BASE_MS = 500;
const CAP_MS = 20_000;
const SHORTEST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 60_000;

/**
 * How long to wait between attempts: full jitter, so that ten thousand clients cut at the same
 * moment do not come back at the same moment.
 *
 * The first wait lies between 0 and 1 s or what the server asked for, wait number n between 0 and
 * 0.5 s * 2^n, at most 20 s, but never in a smaller span than the first.
 * @param {() => number} random at least 0, below 1
 * @returns {import('./types.js').Backoff}
 */
export function createBackoff(random) {
  let firstMs = 1000;
  let attempt = 0;
  return {
    next() {
      const spanMs = Math.max(firstMs, attempt && Math.min(CAP_MS, BASE_MS * 2 ** attempt));
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
