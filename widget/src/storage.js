/**
 * What this browser remembers of a visitor, in localStorage: who they are to the server, and
 * whether an answer of theirs is running. Both under the address of the server, so that two
 * deployments on one origin never meet.
 *
 * Nothing is written before the first question. Storage may be blocked, full or private: then
 * nothing is remembered, and everything else works.
 */

/** No answer runs longer: an older mark was left by a browser that crashed. */
const MARK_LIFE_MS = 600_000;
export const SESSION_SHAPE = /^[\w-]{16,128}$/;

/** @typedef {() => Storage} Area reaching for a storage may throw already */

/** @type {Area} */
const local = () => localStorage;

/**
 * Where the visitor's session id is kept.
 *
 * @param {string} endpoint
 */
const sessionKey = (endpoint) => `chatbubble:session:${endpoint}`;

/** Where it is kept that an answer is running: this, and the endpoint. */
const RUNNING = 'chatbubble:running:';

/**
 * What `action` does with a storage, or does not do.
 *
 * @template T
 * @param {Area} area
 * @param {(storage: Storage) => T} action
 * @returns {T | null} null also when the storage refuses
 */
export function reach(area, action) {
  try {
    return action(area());
  } catch {
    // A SecurityError (blocked) or QuotaExceededError (full): the page's own memory has to do.
    return null;
  }
}

/**
 * Whether an answer was running when a page of this origin was last left, as far as this browser knows.
 *
 * @param {string} endpoint
 */
export function wasRunning(endpoint) {
  try {
    return localStorage.getItem(RUNNING + endpoint);
  } catch {
    return;
  }
}

/**
 * Remembers that an answer is running, and whether the panel is open meanwhile: the next page of
 * this origin, or another tab, fetches the chat by itself and shows it in the same way.
 *
 * @typedef {object} Mark
 * @property {boolean} wasOpen whether the panel was open on the page that left a mark
 * @property {(isRunning: boolean) => void} update an answer began to run, or none does any more
 * @property {(isOpen: boolean) => void} show the panel was opened or closed
 * @property {() => void} settle the server was asked: a mark of earlier, without an answer of now, goes
 */

/**
 * @param {string} endpoint
 * @param {() => number} [now] Unix time in milliseconds
 * @param {Area} [area]
 * @returns {Mark}
 */
export function createMark(endpoint, now = Date.now, area = local) {
  const key = RUNNING + endpoint;
  const wasOpenAt = Number(reach(area, (storage) => storage.getItem(key)) ?? NaN);
  let isShown = false;
  let isRunning = false;
  // When the panel was open; what is no number is not near any time.
  const put = () => reach(area, (storage) => storage.setItem(key, isShown ? `${now()}` : 'closed'));
  const remove = () => reach(area, (storage) => storage.removeItem(key));
  return {
    wasOpen: now() - wasOpenAt < MARK_LIFE_MS,
    update(next) {
      // Only its own changes: a mark that another tab has set is that tab's to remove.
      if (next === isRunning) return;
      isRunning = next;
      // All tabs show one answer: a closed panel does not speak for another tab's open one.
      if (next && (isShown || reach(area, (storage) => storage.getItem(key)) === null)) put();
      else if (!next) remove();
    },
    show(isOpen) {
      isShown = isOpen;
      if (isRunning) put();
    },
    settle() {
      if (!isRunning) remove();
    },
  };
}

/**
 * The visitor's secret session id, if this browser has one that is not over.
 *
 * @param {string} endpoint
 * @param {Area} [area]
 * @param {() => number} [now]
 * @returns {string | null}
 */
export function readSession(endpoint, area = local, now = Date.now) {
  const stored = reach(area, (storage) => storage.getItem(sessionKey(endpoint)));
  const [end = Infinity] = signedParts(stored);
  return stored && SESSION_SHAPE.test(stored) && end > now() ? stored : null;
}

/**
 * What a session id tells that the server has signed: when it ends, and who it is. The visitor's own tells nothing.
 *
 * @param {string | null} sessionId
 * @returns {[endsAt?: number, person?: string | undefined]}
 */
export function signedParts(sessionId) {
  const [kind, end, person] = `${sessionId}`.split('_');
  return kind === 'signed' ? [Number(end), person] : [];
}

/**
 * What the visitor chose, if they did.
 *
 * @param {string} endpoint
 * @param {'sound'} name
 * @param {Area} [area]
 * @returns {string | null}
 */
export function readChoice(endpoint, name, area = local) {
  return reach(area, (storage) => storage.getItem(`chatbubble:${name}:${endpoint}`));
}

/**
 * Remembers what the visitor chose.
 *
 * @param {string} endpoint
 * @param {'sound'} name
 * @param {string} value
 * @param {Area} [area]
 */
export function keepChoice(endpoint, name, value, area = local) {
  reach(area, (storage) => storage.setItem(`chatbubble:${name}:${endpoint}`, value));
}

/**
 * Forgets everything that was ever remembered under these addresses of one server.
 *
 * @param {readonly string[]} addresses
 * @param {readonly Area[]} [areas]
 */
export function forgetAll(addresses, areas = [local, () => sessionStorage]) {
  const isOurs = (/** @type {string} */ key) =>
    key.startsWith('chatbubble:') && addresses.some((address) => key.endsWith(`:${address}`));
  for (const area of areas) {
    reach(area, (storage) => {
      for (const key of Object.keys(storage).filter(isOurs)) storage.removeItem(key);
    });
  }
}

/**
 * Keeps a session id from now on: by default a new one.
 *
 * @param {string} endpoint
 * @param {string} [sessionId]
 * @param {Area} [area]
 * @returns {string} the same
 */
export function keepSession(endpoint, sessionId = createId(), area = local) {
  reach(area, (storage) => storage.setItem(sessionKey(endpoint), sessionId));
  return sessionId;
}

/**
 * Whoever comes next is a new visitor to the server.
 *
 * @param {string} endpoint
 * @param {Area} [area]
 * @returns {void}
 */
export function forgetSession(endpoint, area = local) {
  reach(area, (storage) => storage.removeItem(sessionKey(endpoint)));
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
