import { icon, make } from '../dom.js';
import { createAutoscroll } from './autoscroll.js';
import { DOWN } from './icons.js';
import { createGreeting, createMessage } from './message.js';

/** @typedef {import('../types.js').MessageView} MessageView */
/** @typedef {import('../types.js').State} State */

/**
 * @typedef {object} Transcript
 * @property {ReadonlyMap<string, import('./message.js').Message>} shown by MessageView.id
 * @property {Node[]} elements
 * @property {(state: Pick<State, 'messages' | 'turn'>) => void} update
 * @property {(text: string) => void} greet shows the greeting above all messages
 */

/**
 * The messages, in reading order. A message keeps its node for as long as it stays in the list, and
 * a node that stays is never moved: what is selected in it stays selected.
 *
 * @param {import('./message.js').MessageParts} parts what every message needs
 * @param {AbortSignal} signal ends observer and timers
 * @returns {Transcript}
 */
export function createTranscript(parts, signal) {
  const { words } = parts;
  const list = make('div', 'messages');
  // A log would be read out as it grows, piece by piece: the announcer does that better.
  const log = { role: 'log', 'aria-live': 'off', 'aria-label': words.transcript, tabindex: '0' };
  const scroller = make('div', 'transcript', log, list);
  const jump = make('button', 'jump', {}, icon(DOWN), words.newText);
  /** @type {Map<string, import('./message.js').Message>} */
  const shown = new Map();
  /** @type {Element | null} */
  let greeting = null;

  const autoscroll = createAutoscroll(scroller, list, (isBehind) => (jump.hidden = !isBehind), signal);
  jump.hidden = true;
  jump.addEventListener('click', onJump);
  // An answer may still be writing itself out.
  signal.addEventListener('abort', () => removeOthers([]));

  function onJump() {
    autoscroll.toEnd();
    // The button is gone now, and would take the focus with it.
    scroller.focus({ preventScroll: true });
  }

  /** @param {readonly MessageView[]} messages */
  function removeOthers(messages) {
    const ids = new Set(messages.map(({ id }) => id));
    for (const [id, message] of shown) {
      if (ids.has(id)) continue;
      message.destroy();
      shown.delete(id);
    }
  }

  /**
   * @param {MessageView} view
   * @param {State['turn']} turn
   */
  function show(view, turn) {
    const message = shown.get(view.id) ?? createMessage(view, parts);
    shown.set(view.id, message);
    message.update(view, view.requestId !== null && view.requestId === turn?.requestId);
    return message.element;
  }

  return {
    shown,
    elements: [scroller, jump],
    update({ messages, turn }) {
      removeOthers(messages);
      let place = greeting ? greeting.nextElementSibling : list.firstElementChild;
      for (const view of messages) {
        const isNew = !shown.has(view.id) && view.state === 'queued';
        const element = show(view, turn);
        if (element === place) place = place.nextElementSibling;
        else list.insertBefore(element, place);
        // While an answer is running its reader is not taken away from it.
        if (isNew) (turn ? autoscroll.toEnd : autoscroll.pin)(element);
      }
    },
    greet(text) {
      greeting?.remove();
      greeting = createGreeting(text, words);
      list.prepend(greeting);
    },
  };
}
