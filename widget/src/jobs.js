/**
 * The two pieces of work that wait in the client's queue: a question, and reading the conversation.
 */

import { createBackoff } from './backoff.js';
import { chatError } from './errors.js';
import { createFollower } from './follow.js';
import { createHistory } from './history.js';
import { createLine } from './line.js';
import { answerId, questionId } from './messages.js';

/**
 * @param {import('./core.js').Core} core
 */
export function createJobs(core) {
  const { store, isOver, random } = core;
  const line = createLine(core);
  const history = createHistory(core, line);
  const { follow, abortIfStopped } = createFollower(core, line, history);

  /** @param {string} id */
  const isShown = (id) => store.get().messages.some((message) => message.id === id);

  /**
   * Follows the running answer that the server told of, unless there is none or it was seen already.
   * @param {import('./types.js').Snapshot | undefined} snapshot
   * @returns {Promise<boolean>} whether there was one
   */
  async function join(snapshot) {
    const active = snapshot?.activeStream;
    if (!active || isShown(answerId(active.requestId))) return false;
    const { lastEventId, ...names } = active;
    return follow({ ...names, cursor: lastEventId });
  }

  return {
    line,
    abortIfStopped,
    erase: history.erase,

    /**
     * Asks one question and follows its answer to the end.
     * @param {string} requestId
     * @param {object} body of the POST, the same at each attempt
     */
    async question(requestId, body) {
      const backoff = createBackoff({ random });
      // It is gone from the state when it was dropped, or the conversation erased.
      while (!isOver() && isShown(questionId(requestId))) {
        if (await follow({ requestId }, body)) return;
        // Another answer is running, asked from another tab: show it, then ask again.
        if (!(await join(await history.loadPatiently()))) await line.hold(backoff, chatError('TURN_RUNNING'));
      }
    },

    /**
     * Reads the conversation and follows a running answer to its end.
     * @param {() => boolean} isInTheWay whether something waits that need not wait for a
     *   conversation that cannot be read
     * @param {() => void} onTold
     * @returns {Promise<boolean>} false when it gave way
     */
    async restore(isInTheWay, onTold) {
      const snapshot = await history.loadPatiently(isInTheWay);
      if (!snapshot && isInTheWay()) return false;
      onTold();
      await join(snapshot);
      return true;
    },
  };
}
