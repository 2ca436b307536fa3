import { make, makeButton } from '../dom.js';
import { createEnter } from './enter.js';
import { SEND, STOP } from './icons.js';

/** What the server takes, in characters as it counts them: code points. */
export const LONGEST_QUESTION = 4000;

/**
 * @typedef {object} Composer
 * @property {HTMLElement} element
 * @property {(isAnswering: boolean) => void} update shows Stop while an answer is running
 * @property {() => void} focus
 */

/**
 * Where the visitor writes.
 *
 * @param {import('../types.js').Words} words
 * @param {(text: string, replaces?: string) => void} onSend gets the trimmed, sendable question, and the `requestId` of
 *   the one that is being edited: whoever begins that puts it into `element.dataset.replaces`
 * @param {() => void} onStop
 * @returns {Composer}
 */
export function createComposer(words, onSend, onStop) {
  const input = make('textarea', 'input', {
    rows: '2',
    'aria-label': words.message,
    placeholder: words.placeholder,
    enterkeyhint: 'send',
  });
  const send = makeButton('send', submit, words.send, SEND);
  const stop = makeButton('stop', onStop, words.stop, STOP);
  const note = make('p', 'note', { role: 'status' });
  // The text stands in the grid cell twice, once unseen in a pseudo-element, which gives the cell its height.
  const field = make('div', 'field', {}, input);
  const element = make('div', 'composer', {}, field, note, stop, send);
  const enter = createEnter();

  /** The question as it may be sent, or nothing. */
  function read() {
    const text = input.value.trim();
    const isTooLong = text.length > LONGEST_QUESTION && [...text].length > LONGEST_QUESTION;
    return { isTooLong, text: isTooLong ? '' : text };
  }

  function onInput() {
    const { isTooLong, text } = read();
    field.dataset.text = input.value;
    send.disabled = !text;
    note.textContent = (isTooLong && words.tooLong) || '';
  }

  function submit() {
    const { text } = read();
    if (!text) return;
    input.value = '';
    // Before the button is switched off: what is disabled loses the focus to the page.
    if (send.matches(':focus-visible')) input.focus();
    onInput();
    onSend(text, element.dataset.replaces);
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    const use = enter.read(event);
    if (use !== 'leave') event.preventDefault();
    if (use === 'send') submit();
  }

  input.addEventListener('input', onInput);
  input.addEventListener('keydown', onKeyDown);
  input.addEventListener('keyup', enter.onKeyUp);
  input.addEventListener('compositionend', enter.onCompositionEnd);
  for (const button of [send, stop]) {
    // A finger or a mouse leaves the focus where it is, and with it a phone's keyboard.
    button.addEventListener('mousedown', (event) => event.preventDefault());
  }
  onInput();

  return {
    element,
    update(isAnswering) {
      if (stop.hidden === !isAnswering) return;
      if (!isAnswering && stop.matches(':focus-visible')) input.focus();
      stop.hidden = !isAnswering;
    },
    focus: () => input.focus({ preventScroll: true }),
  };
}
