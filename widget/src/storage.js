/**
 * What this browser remembers of a visitor, in localStorage: who they are to the server, and
 * whether an answer of theirs is running. Both under the endpoint's name, so that two
 * deployments on one origin never meet.
 *
 * Storage may be blocked, full or private. Then nothing is remembered and everything else
 * works: the caller keeps what it was given for as long as the page lives.
 */

/** The mark outlives neither the server's stream log (10 minutes) nor its own use. */
const MARK_LIFE_MS = 600_000;
const SESSION_SHAPE = /^[\w-]{16,128}$/;

/** @typedef {() => Storage} Area reaching for the storage may throw already */

/** @type {Area} */
const localArea = () => localStorage;

/** @param {string} endpoint */
const sessionKey = (endpoint) => `chatbubble:session:${endpoint}`;

/** @param {string} endpoint */
const runningKey = (endpoint) => `chatbubble:running:${endpoint}`;

/**
 * @template T
 * @param {Area} area
 * @param {(storage: Storage) => T} action
 * @returns {T | null} null also when the storage refuses
 */
function reach(area, action) {
  try {
    return action(area());
  } catch {
    // A SecurityError (blocked) or QuotaExceededError (full): the page's memory has to do.
    return null;
  }
}

/**
 * Whether an answer was running when a page of this origin was last left, and whether the panel was open.
 *
 * @param {string} endpoint
 * @param {number} nowMs Unix time in milliseconds
 * @param {Area} [area]
 * @returns {'open' | 'closed' | null} null: nothing is running as far as this browser knows
 */
export function readRunning(endpoint, nowMs, area = localArea) {
  const [state, since] = (reach(area, (storage) => storage.getItem(runningKey(endpoint))) ?? '').split(' ');
  // Also false for a mark that is not ours: NaN is not below anything.
  const isFresh = nowMs - Number(since) < MARK_LIFE_MS;
  return isFresh && (state === 'open' || state === 'closed') ? state : null;
}

/**
 * Note that an answer is running: the next page of this origin will look for it by itself.
 *
 * @param {string} endpoint
 * @param {'open' | 'closed'} state of the panel
 * @param {number} nowMs Unix time in milliseconds
 * @param {Area} [area]
 * @returns {void}
 */
export function markRunning(endpoint, state, nowMs, area = localArea) {
  reach(area, (storage) => storage.setItem(runningKey(endpoint), `${state} ${nowMs}`));
}

/**
 * Note that no answer is running any more.
 *
 * @param {string} endpoint
 * @param {Area} [area]
 * @returns {void}
 */
export function clearRunning(endpoint, area = localArea) {
  reach(area, (storage) => storage.removeItem(runningKey(endpoint)));
}

/**
 * The visitor's secret session id: the stored one, or a new one that is stored from now on.
 *
 * @param {string} endpoint
 * @param {Area} [area]
 * @param {Pick<Crypto, 'getRandomValues'>} [random]
 * @returns {{ sessionId: string, isNew: boolean }} isNew: the server cannot know it yet
 */
export function openSession(endpoint, area = localArea, random = crypto) {
  const stored = reach(area, (storage) => storage.getItem(sessionKey(endpoint)));
  if (stored && SESSION_SHAPE.test(stored)) return { sessionId: stored, isNew: false };
  const sessionId = createId(random);
  reach(area, (storage) => storage.setItem(sessionKey(endpoint), sessionId));
  return { sessionId, isNew: true };
}

/**
 * A random id of 128 bits. crypto.randomUUID would do, but it is missing on pages without https.
 *
 * @param {Pick<Crypto, 'getRandomValues'>} [random]
 * @returns {string} 32 hexadecimal digits
 */
export function createId(random = crypto) {
  const bytes = random.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
