/**
 * Tells the Enter that sends from the one that picks a word in an input method: Japanese, Chinese
 * and Korean visitors press it all the time, and no half-written question may go out.
 *
 * Chromium and Firefox mark that key with `isComposing`. Safari ends the composition first, and
 * then reports the very key that ended it: with code 229, or like any other Enter. So an Enter
 * right after the end of a composition, before any key was released, is not one of the visitor's
 * own either, and breaks no line.
 */

/** No finger is faster; a busy page may tell of both events this far apart. */
const SAME_PRESS_MS = 100;

/** @typedef {Pick<KeyboardEvent, 'key' | 'shiftKey' | 'isComposing' | 'keyCode' | 'timeStamp'>} Key */

/**
 * @typedef {object} Enter
 * @property {(event: Pick<Event, 'timeStamp'>) => void} onCompositionEnd
 * @property {() => void} onKeyUp
 * @property {(key: Key) => 'send' | 'swallow' | 'leave'} read what to do with a key of the text field
 */

/**
 * @returns {Enter}
 */
export function createEnter() {
  let composedAt = -Infinity;
  return {
    onCompositionEnd({ timeStamp }) {
      composedAt = timeStamp;
    },
    onKeyUp() {
      composedAt = -Infinity;
    },
    read({ key, shiftKey, isComposing, keyCode, timeStamp }) {
      if (key !== 'Enter' || shiftKey || isComposing || keyCode === 229) return 'leave';
      return timeStamp - composedAt > SAME_PRESS_MS ? 'send' : 'swallow';
    },
  };
}
