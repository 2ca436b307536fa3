/** A client on a line that may hold answers back, and what has to happen for it to be noticed. */

import { atDesk, eventually } from './desk.js';
import { holding } from './stand_in.js';

export const PATIENCE_MS = 2500;
export const GRACE_MS = 500;
export const PAUSE_MS = 500;

/** A line that is known to hold back, or is not yet. */
export function createKnown(isHeld = false) {
  return {
    isHeld: () => isHeld,
    remember() {
      isHeld = true;
    },
  };
}

/** Plays with a client on such a line; by default it holds everything back. */
export const atLine = (play, { isHeld = false, line = holding(), ...server } = {}) =>
  atDesk((desk) => {
    desk.server.line = line;
    return play(desk);
  }, { desk: { memory: createKnown(isHeld) }, server });

/** Lets the line be asked about: it was silent for so long. Resolves when it is known what the server has. */
export async function look({ clock }, silenceMs = PATIENCE_MS) {
  await eventually(() => clock.waiting.includes(silenceMs));
  clock.advance(silenceMs);
  await eventually(() => clock.waiting.includes(GRACE_MS));
}

/** Nothing is found against the line: from then on it has twice as much time. */
export async function pass({ clock }, silenceMs = PATIENCE_MS) {
  await eventually(() => clock.waiting.includes(GRACE_MS));
  clock.advance(GRACE_MS);
  await eventually(() => clock.waiting.includes(silenceMs * 2));
}

/** It is asked about, and passes. */
export async function acquit(desk, silenceMs) {
  await look(desk, silenceMs);
  await pass(desk, silenceMs);
}

/** It is asked about, and found to hold back. */
export async function notice(desk) {
  await look(desk);
  desk.clock.advance(GRACE_MS);
  await desk.connection('reconnecting');
  await desk.passPause();
}

/** Lets the next poll begin. */
export async function nextPoll({ clock, server }) {
  const { length } = server.requests;
  await eventually(() => clock.waiting.includes(PAUSE_MS));
  clock.advance(PAUSE_MS);
  await eventually(() => server.requests.length > length);
}
