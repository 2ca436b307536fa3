const TICK_MS = 1000;
/** A tab that leads and leaves that many questions without an answer hangs, or its debugger waits. */
const PATIENCE = 2;

/**
 * Notices a leading tab that does not move, while somebody here waits for what it does.
 *
 * @param {object} parts
 * @param {() => boolean} parts.isWaiting
 * @param {() => void} parts.ping asks it for a sign of life
 * @param {() => void} parts.onHung
 * @param {import('../types.js').Schedule} parts.schedule
 */
export function createWatch({ isWaiting, ping, onHung, schedule }) {
  let unanswered = 0;
  let end = () => {};

  function tick() {
    if (unanswered < PATIENCE) ping();
    else onHung();
    unanswered += 1;
    look();
  }

  function look() {
    end();
    if (isWaiting()) end = schedule(tick, TICK_MS);
  }

  return {
    /** To be called whenever somebody may have begun to wait. */
    look,

    /** It moves. */
    hear() {
      unanswered = 0;
    },

    end: () => end(),
  };
}
