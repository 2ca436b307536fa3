/**
 * Follows an answer to its end, whatever happens to the connections on the way.
 *
 * The state's `turn` is the truth: set when following begins, null once the answer is settled.
 */

import { createAbort } from './abort.js';
import { createAttempt } from './attempt.js';
import { createBackoff } from './backoff.js';
import { asChatError, chatError, CLIENT_CODES } from './errors.js';

/**
 * @param {import('./core.js').Core} core
 * @param {import('./line.js').Line} line
 * @param {import('./history.js').History} history
 */
export function createFollower(core, line, history) {
  const { dispatch, current, now, random } = core;
  const abortIfStopped = createAbort(core);
  const attempt = createAttempt(core, line, abortIfStopped);

  /** @param {import('./types.js').ErrorView} error */
  function fail({ code, message, retryable }) {
    dispatch({ type: 'fail', error: { code, message, retryable } });
  }

  /**
   * The stream is no longer held: the conversation says how the answer ended or, for a question
   * that was stopped before its stream had a name, whether it ever arrived.
   */
  async function reconcile() {
    const { activeStream } = await history.load();
    const turn = current();
    if (!turn || activeStream?.requestId === turn.requestId) void abortIfStopped();
    else if (turn.isStopped) dispatch({ type: 'settle' });
    else fail(chatError(CLIENT_CODES.ANSWER_LOST));
  }

  /**
   * One step towards the end. Rejects with a ChatError when the next one has to wait.
   * @param {import('./types.js').Turn} turn
   * @param {object | undefined} body
   * @param {import('./types.js').Backoff} backoff
   */
  async function step(turn, body, backoff) {
    // A question that was withdrawn is not asked again to find out what became of it.
    const isWithdrawn = turn.isStopped && !turn.streamId;
    const wasRead = !isWithdrawn && (await attempt(turn, body, backoff));
    if (!wasRead) await reconcile();
    const next = current();
    // Cut in the middle, or gone and yet running: only another stream is read at once.
    if (next && (wasRead || next.streamId === turn.streamId)) {
      throw chatError(CLIENT_CODES.CONNECTION_LOST, 'the stream was cut');
    }
  }

  /**
   * Follows one answer until it is settled. False: another answer is running, and the question
   * was put back.
   * @param {{requestId: string, streamId?: string, messageId?: string, cursor?: string}} start
   * @param {object} [body] what to post; an answer that has a stream needs none
   */
  async function follow(start, body) {
    dispatch({ type: 'begin', at: now(), ...start });
    const backoff = createBackoff({ random });
    line.hear();
    line.show('connecting');
    for (let turn = current(); turn; turn = current()) {
      try {
        await step(turn, body, backoff);
      } catch (fault) {
        const error = asChatError(fault);
        if (error.code === 'TURN_RUNNING') return putBack();
        if (!error.retryable) fail(error);
        else if (current()) await line.hold(backoff, error);
      }
    }
    return true;
  }

  function putBack() {
    const isWithdrawn = current()?.isStopped === true;
    dispatch({ type: isWithdrawn ? 'settle' : 'requeue' });
    return isWithdrawn;
  }

  return { follow, abortIfStopped };
}
