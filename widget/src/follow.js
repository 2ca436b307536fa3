/**
 * Follows an answer to its end, whatever happens to the connections on the way.
 *
 * The state's `turn` is the truth: set when following begins, null once the answer is settled.
 */

import { reduce } from './conversation.js';
import { ANSWER_LOST, asChatError, chatError, CONNECTION_LOST } from './errors.js';
import { hasStream } from './response.js';
import { createDecoder } from './sse.js';

const HEALTHY_MS = 10_000;
const LINGER_MS = 999;

/**
 * What the parts of the client share. `aborted` names the streams whose abort is under way or done.
 * @typedef {import('./line.js').Ground & {
 *   line: import('./line.js').Line,
 *   transport: import('./transport.js').Transport,
 *   aborted: Set<string>,
 * }} Core
 */

/**
 * Reads the server's copy of the conversation into the state. Rejects with a ChatError.
 * @param {Core} core
 * @returns {Promise<import('./types.js').Snapshot>}
 */
export async function load({ store, dispatch, transport, fetchPart }) {
  const before = store.get();
  const snapshot = await transport.exchange('GET', '/conversation', ({ body }) => Array.isArray(body?.messages));
  const part = await fetchPart('sync');
  if (!part) throw chatError(CONNECTION_LOST);
  dispatch({ type: 'snapshot', apply: part.applySnapshot, snapshot, before });
  return snapshot;
}

/**
 * Tells the server of a Stop as soon as the stream has a name. May be called at any time, as often
 * as one likes.
 * @param {Core} core
 */
export async function abortIfStopped({ current, aborted, transport }) {
  const { isStopped, streamId } = current() ?? {};
  if (!isStopped || !streamId || aborted.has(streamId)) return;
  aborted.add(streamId);
  try {
    // Only our server's own word counts: a login page says 200 to anything.
    await transport.exchange('POST', `/chat/${streamId}/abort`, ({ body }) => body?.state);
  } catch (fault) {
    if (!asChatError(fault).retryable) return;
    // It did not arrive. The answer is resumed like after any drop, and with it comes the next try.
    aborted.delete(streamId);
    transport.cut();
  }
}

/**
 * Follows one answer until it is settled. False: another answer is running, and the question was
 * put back.
 * @param {Core} core
 * @param {{requestId: string, streamId?: string | null, cursor?: string}} start
 * @param {object} [body] what to post; an answer that has a stream needs none
 * @returns {Promise<boolean>}
 */
export async function follow(core, start, body) {
  const { dispatch, current, line, now } = core;
  if (!current()) dispatch({ type: 'begin', at: now(), ...start });
  line.show('connecting');
  for (let turn = current(); turn; turn = current()) {
    try {
      await step(core, turn, body);
    } catch (fault) {
      const error = asChatError(fault);
      const isBusy = error.code === 'TURN_RUNNING';
      if (isBusy && !current()?.isStopped) {
        dispatch({ type: 'requeue' });
        return false;
      }
      if (!error.retryable || isBusy) dispatch({ type: 'fail', error });
      else if (current()) await line.hold(error);
    }
  }
  return true;
}

/**
 * One step towards the end. Rejects with a ChatError when the next one has to wait, or there is none.
 * @param {Core} core
 * @param {import('./types.js').Turn} turn
 * @param {object} [body]
 */
async function step(core, turn, body) {
  // A question that was withdrawn is not asked again to find out what became of it.
  const isWithdrawn = turn.isStopped && !turn.streamId;
  const wasRead = !isWithdrawn && (await attempt(core, turn, body));
  if (!wasRead) await reconcile(core);
  // Cut in the middle, or gone and yet running: only another stream is read at once.
  if (wasRead || core.current()?.streamId === turn.streamId) throw chatError(CONNECTION_LOST);
}

/**
 * One connection. Resolves with whether there was a stream to read, to its end or not. Rejects
 * with a ChatError.
 * @param {Core} core
 * @param {import('./types.js').Turn} turn
 * @param {object} [body] what to post while the stream has no name
 */
async function attempt(core, { streamId, cursor }, body) {
  const { line, transport, now } = core;
  const openedAt = now();
  const link = streamId
    ? transport.open('GET', `/chat/${streamId}`, undefined, cursor)
    : transport.open('POST', '/chat', body);
  try {
    const isStream = hasStream(await link.reply(), streamId !== null);
    if (isStream) await read(core, link);
    return isStream;
  } finally {
    // The server closes a finished stream itself; cut by us, it would count as a failed request on the page.
    if (core.isOver || core.current()) link.close();
    else core.schedule(link.close, LINGER_MS);
    if (now() - openedAt >= HEALTHY_MS) line.backoff.reset();
  }
}

/**
 * Reads events until the answer is settled, does not fit, or the body ends.
 * @param {Core} core
 * @param {import('./transport.js').Link} link
 */
async function read(core, link) {
  const { store, current, line, schedule, restMs = 0 } = core;
  /** @type {import('./types.js').StreamEvent[]} */
  const events = [];
  let isResting = false;
  const decoder = createDecoder({ onEvent: (event) => events.push(event), onRetry: line.backoff.setRetry });

  /** One change of the state for all events that came together. */
  function apply() {
    const came = events.splice(0);
    if (current()) store.set(came.reduce((state, event) => reduce(state, { type: 'event', event }), store.get()));
    void abortIfStopped(core);
  }

  /** Text that comes meanwhile waits for the end of the rest. */
  function rest() {
    isResting = true;
    schedule(() => {
      isResting = false;
      if (!events[0]) return;
      apply();
      rest();
    }, restMs);
  }

  line.show('streaming');
  try {
    for await (const bytes of link.bytes()) {
      line.hear();
      decoder.push(bytes);
      if (isResting && events.every(({ type }) => type === 'token')) continue;
      apply();
      if (current()?.isTorn ?? true) return;
      if (restMs && !isResting) rest();
    }
  } finally {
    if (events[0]) apply();
  }
}

/**
 * The stream is no longer held: the conversation says how the answer ended or, for a question
 * that was stopped before its stream had a name, whether it ever arrived.
 * @param {Core} core
 */
async function reconcile(core) {
  const { activeStream } = await load(core);
  const turn = core.current();
  if (turn && activeStream?.requestId !== turn.requestId) {
    core.dispatch({ type: 'fail', error: { code: ANSWER_LOST } });
  }
  void abortIfStopped(core);
}
