/**
 * Follows an answer to its end, whatever happens to the connections on the way.
 *
 * The state's `turn` is the truth: set when following begins, null once the answer is settled.
 */

import { reduce } from './conversation.js';
import { asChatError, chatError, CLIENT_CODES } from './errors.js';
import { hasStream } from './response.js';
import { createDecoder } from './sse.js';

const HEALTHY_MS = 10_000;
const ABORT_AGAIN_MS = 2000;
const ANSWER_LOST = { code: CLIENT_CODES.ANSWER_LOST, message: '', retryable: true };

/**
 * @param {import('./client.js').Core} core
 * @param {import('./line.js').Line} line
 * @param {import('./transport.js').Transport} transport
 */
export function createFollower({ store, dispatch, current, now, random }, line, transport) {
  /** The stream whose abort is under way or done. */
  let abortedId = '';

  /**
   * Reads the server's copy of the conversation into the state. Rejects with a ChatError.
   * @returns {Promise<import('./types.js').Snapshot>}
   */
  async function load() {
    const before = store.get();
    const snapshot = await transport.exchange('GET', '/conversation', ({ body }) => Array.isArray(body?.messages));
    dispatch({ type: 'snapshot', snapshot, before });
    return snapshot;
  }

  /**
   * Tells the server of a Stop once the stream has a name, until the server has heard it or the
   * answer is settled. May be called at any time, as often as one likes.
   */
  async function abortIfStopped() {
    const turn = current();
    if (!turn?.isStopped || !turn.streamId || turn.streamId === abortedId) return;
    const streamId = (abortedId = turn.streamId);
    while (current()?.streamId === streamId) {
      try {
        // Only our server's own word counts: a login page says 200 to anything.
        return await transport.exchange('POST', `/chat/${streamId}/abort`, ({ body }) => body?.state);
      } catch (fault) {
        if (!asChatError(fault).retryable) return;
        await line.pause(random() * ABORT_AGAIN_MS);
      }
    }
  }

  /**
   * Reads events until the answer is settled, does not fit, or the body ends.
   * @param {import('./transport.js').Link} link
   */
  async function read(link) {
    let state = store.get();
    const decoder = createDecoder({
      onEvent: (event) => (state = reduce(state, { type: 'event', event })),
      onRetry: line.backoff.setRetry,
    });
    line.show('streaming');
    for (let bytes = await link.read(); bytes && current(); bytes = await link.read()) {
      line.hear();
      // One change of the state for all events that came together.
      state = store.get();
      decoder.push(bytes);
      store.set(state);
      void abortIfStopped();
      if (!current() || current()?.isTorn) break;
    }
  }

  /**
   * One connection. Resolves with whether there was a stream to read, to its end or not. Rejects
   * with a ChatError.
   * @param {import('./types.js').Turn} turn
   * @param {object} [body] what to post while the stream has no name
   */
  async function attempt({ streamId, cursor }, body) {
    const openedAt = now();
    const link = streamId
      ? transport.open('GET', `/chat/${streamId}`, undefined, cursor)
      : transport.open('POST', '/chat', body);
    try {
      const isStream = hasStream(await link.reply(), now(), streamId !== null);
      if (isStream) await read(link);
      return isStream;
    } finally {
      link.close();
      if (now() - openedAt >= HEALTHY_MS) line.backoff.reset();
    }
  }

  /**
   * The stream is no longer held: the conversation says how the answer ended or, for a question
   * that was stopped before its stream had a name, whether it ever arrived.
   */
  async function reconcile() {
    const { activeStream } = await load();
    const turn = current();
    if (turn && activeStream?.requestId !== turn.requestId) dispatch({ type: 'fail', error: ANSWER_LOST });
    void abortIfStopped();
  }

  /**
   * One step towards the end. Rejects with a ChatError when the next one has to wait or there is none.
   * @param {import('./types.js').Turn} turn
   * @param {object} [body]
   */
  async function step(turn, body) {
    // A question that was withdrawn is not asked again to find out what became of it.
    const isWithdrawn = turn.isStopped && !turn.streamId;
    const wasRead = !isWithdrawn && (await attempt(turn, body));
    if (!wasRead) await reconcile();
    // Cut in the middle, or gone and yet running: only another stream is read at once.
    if (wasRead || current()?.streamId === turn.streamId) throw chatError(CLIENT_CODES.CONNECTION_LOST);
  }

  return {
    load,
    abortIfStopped,

    /**
     * Follows one answer until it is settled. False: another answer is running, and the question
     * was put back.
     * @param {{requestId: string, streamId?: string, cursor?: string}} start
     * @param {object} [body] what to post; an answer that has a stream needs none
     */
    async follow(start, body) {
      dispatch({ type: 'begin', at: now(), ...start });
      line.show('connecting');
      for (let turn = current(); turn; turn = current()) {
        try {
          await step(turn, body);
        } catch (fault) {
          const { code, message, retryable, delayMs } = asChatError(fault);
          const isBusy = code === 'TURN_RUNNING';
          if (isBusy && !current()?.isStopped) {
            dispatch({ type: 'requeue' });
            return false;
          }
          if (!retryable || isBusy) dispatch({ type: 'fail', error: { code, message, retryable } });
          else if (current()) await line.hold({ code, delayMs });
        }
      }
      return true;
    },
  };
}
