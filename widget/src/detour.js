/**
 * A way round lines that hold answers back: proxies that pass on nothing of a response before its end, or not before
 * so many kilobytes of it. What they hold, the server tells in another way: as bodies that end, one after the other,
 * with the same events under the same ids.
 */

import { reach } from './storage.js';

/** A line that was silent for so long is asked about; each time without reason, it gets twice as much, up to most. */
const PATIENCE_MS = 2500;
/** How exactly it is measured. */
const REARM_MS = 99;
const MOST_PATIENCE_MS = 20_000;
/** What comes so soon after it came by another way was not held back. */
const GRACE_MS = 500;
/**
 * What was said over so long a time, and comes at once after as long a silence, was held back. That happens to any line
 * now and then, and to a page that was busy; but such a silence is now enough to be asked about.
 */
const LUMP_MS = 1000;
const NEARLY = 0.8;
/** Between two polls. */
const PAUSE_MS = 500;
/** For how long the server may wait for something to tell, in seconds. */
const WAIT_S = 10;
/** For how long it is believed that a line holds back: a laptop may have been carried home. */
const LIFE_MS = 3_600_000;

/**
 * @typedef {object} Ground
 * @property {string} endpoint
 * @property {string} sessionId
 * @property {import('./types.js').Store<import('./types.js').State>} store
 * @property {import('./types.js').Schedule} schedule
 * @property {typeof globalThis.fetch} fetch
 * @property {() => number} now
 * @property {ReturnType<typeof createMemory>} memory
 */

/** @typedef {RequestInit & {signal: AbortSignal}} Init */

/**
 * Fetches as `fetch` does, but answers: these come by another way where the line holds them back. A line that is found
 * to do so is cut, which the client takes for the drop that it is.
 *
 * @param {Omit<Ground, 'fetch' | 'now' | 'memory'> & Partial<Ground>} parts
 * @returns {(url: string, init: Init) => Promise<Response>}
 */
export function createDetour(parts) {
  const ground = { fetch: globalThis.fetch, now: Date.now, memory: createMemory(parts.endpoint), ...parts };
  return (url, init) => {
    const { endpoint, fetch, memory } = ground;
    if (!/^\/chat(\/[^/]+)?$/.test(url.slice(endpoint.length))) return fetch(url, init);
    return (memory.isHeld() ? poll : watch)(ground, url, init);
  };
}

/**
 * Whether the line is known to hold back, for all pages of this browser where it can store that.
 *
 * @param {string} endpoint
 * @param {() => number} [now]
 * @param {() => Storage} [area]
 */
export function createMemory(endpoint, now = Date.now, area = () => localStorage) {
  const key = `chatbubble:held:${endpoint}`;
  let heldAt = Number(reach(area, (storage) => storage.getItem(key)));
  return {
    isHeld: () => Math.abs(now() - heldAt) < LIFE_MS,
    remember() {
      heldAt = now();
      reach(area, (storage) => storage.setItem(key, `${heldAt}`));
    },
  };
}

/**
 * What tells more of the answer: reading its stream on or, before that has a name, the request itself.
 *
 * @param {Ground} ground
 * @param {string} url
 * @param {Init} init
 * @param {number} waitS
 */
function fetchMore({ endpoint, sessionId, store, fetch }, url, init, waitS) {
  const { streamId, cursor } = store.get().turn ?? {};
  if (!streamId) return fetch(`${url}?wait=${waitS}`, init);
  const headers = { Authorization: `Bearer ${sessionId}`, ...(cursor && { 'Last-Event-ID': cursor }) };
  return fetch(`${endpoint}/chat/${streamId}?wait=${waitS}`, { ...init, method: 'GET', body: null, headers });
}

/** @param {Response} response */
const hasEvents = ({ status, headers }) => status === 200 && /event-stream/.test(`${headers.get('Content-Type')}`);

/**
 * An answer as one body, made of many.
 *
 * @param {Ground} ground
 * @param {string} url
 * @param {Init} init
 * @returns {Promise<Response>}
 */
async function poll(ground, url, init) {
  let response = await fetchMore(ground, url, init, 0);
  if (!hasEvents(response)) return response;
  const { signal } = init;
  let isFirst = true;
  let pause = Promise.resolve();
  /** @type {UnderlyingDefaultSource<Uint8Array>} */
  const source = {
    start: (controller) => signal.addEventListener('abort', () => controller.error(signal.reason)),
    async pull(controller) {
      if (!isFirst) {
        await pause;
        // Asked for more only once all before was read: so the state knows where that ended.
        response = await fetchMore(ground, url, init, WAIT_S);
        pause = new Promise((resolve) => ground.schedule(resolve, PAUSE_MS));
      }
      isFirst = false;
      // Whatever else it is, the client finds out by itself.
      if (!hasEvents(response)) return controller.close();
      controller.enqueue(new Uint8Array(await response.arrayBuffer()));
    },
  };
  return new Response(new ReadableStream(source, { highWaterMark: 0 }), response);
}

/**
 * An answer as it comes, as long as it does.
 *
 * @param {Ground} ground
 * @param {string} url
 * @param {Init} init
 * @returns {Promise<Response>}
 */
async function watch(ground, url, init) {
  const { fetch } = ground;
  const line = new AbortController();
  init.signal.addEventListener('abort', () => line.abort());
  const hear = listen(ground, init, line);
  const response = await fetch(url, { ...init, signal: line.signal });
  if (!hasEvents(response) || !response.body) return response;
  const reader = response.body.getReader();
  // Its reader is all that the client takes of a body. A stream around the stream would cost more than all else that
  // is done with a piece.
  const body = {
    getReader: () => ({
      async read() {
        const chunk = await reader.read();
        if (chunk.value) hear(chunk.value);
        return chunk;
      },
    }),
  };
  return Object.defineProperty(response, 'body', { value: body });
}

/**
 * Cuts a line, and remembers it, once the server tells more of the running answer than it brings.
 *
 * @param {Ground} ground
 * @param {Init} init
 * @param {AbortController} line
 * @returns {(chunk: Uint8Array) => void} to be called with what it brings
 */
function listen(ground, init, line) {
  const { now, schedule, memory } = ground;
  let chunks = 0;
  let heardAt = now();
  let patienceMs = PATIENCE_MS;
  let isLooking = false;
  let armedAt = 0;
  let disarm = () => {};

  function arm() {
    disarm();
    armedAt = now();
    disarm = schedule(() => void look(), patienceMs);
  }

  async function look() {
    const before = chunks;
    isLooking = true;
    patienceMs = Math.min(MOST_PATIENCE_MS, patienceMs * 2);
    const isMore = await hasMore(ground, init);
    await new Promise((resolve) => schedule(() => resolve(null), GRACE_MS));
    isLooking = false;
    if (line.signal.aborted) return;
    if (isMore && chunks === before) {
      memory.remember();
      line.abort();
    } else arm();
  }

  arm();
  // Whoever has read an answer lets go of its line.
  line.signal.addEventListener('abort', () => disarm());
  return (chunk) => {
    const silenceMs = now() - heardAt;
    // A lump needs a silence as long: most pieces need not be looked into.
    const spanMs = silenceMs > LUMP_MS * NEARLY ? spanOf(chunk) : 0;
    heardAt += silenceMs;
    chunks += 1;
    if (spanMs >= LUMP_MS && silenceMs > spanMs * NEARLY) patienceMs = LUMP_MS;
    // Many pieces come in a second, and two timers cost more than a piece.
    if (!isLooking && now() - armedAt > REARM_MS) arm();
  };
}

/**
 * Over how long a time the server has said what is in a chunk, by its own clock.
 *
 * @param {Uint8Array} chunk
 */
function spanOf(chunk) {
  const times = [...new TextDecoder().decode(chunk).matchAll(/"timestamp":(\d+)/g)].map(([, time]) => Number(time));
  return Math.max(0, ...times) - Math.min(...times, Infinity);
}

/**
 * Whether the server has something of the running answer that is not here yet, or soon has. As long as the answer has
 * no stream, any word of its question says so: the first event comes at once. The question itself is not asked again,
 * since it may have been taken back.
 *
 * @param {Ground} ground
 * @param {Init} init
 */
async function hasMore(ground, init) {
  const { endpoint, sessionId, store, fetch } = ground;
  const { turn } = store.get();
  if (!turn) return false;
  const { streamId, requestId } = turn;
  const headers = { Authorization: `Bearer ${sessionId}` };
  try {
    const response = streamId
      ? await fetchMore(ground, '', init, WAIT_S)
      : await fetch(`${endpoint}/conversation`, { ...init, method: 'GET', body: null, headers });
    return (await response.text()).includes(streamId ? '\nid: ' : requestId);
  } catch {
    // Who cannot be asked says nothing against the line.
    return false;
  }
}
