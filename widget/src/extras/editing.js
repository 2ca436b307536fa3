import { icon, make } from '../dom.js';
import { CLOSE } from '../views/icons.js';
import { makeAction } from './action.js';
import { EDIT } from './icons.js';

/** @typedef {import('../types.js').MessageView} MessageView */

const BANNER_ID = 'chatbubble-editing';

/**
 * The last question may be edited: its text goes into the composer, whose next question then takes
 * its place. Escape, or the banner's button, gives back what was being written before.
 *
 * @param {import('../extras.js').Speaking} chat
 */
export function createEditing({ panel, words }) {
  const composer = panel.composer.element;
  const input = /** @type {HTMLTextAreaElement} */ (composer.getElementsByTagName('textarea')[0]);
  const cancel = makeAction('cancel', onCancel, `${words.cancel}`, CLOSE);
  const told = make('span', '', {}, `${words.editing}`);
  const banner = make('div', 'editing', { id: BANNER_ID }, icon(EDIT), told, cancel);
  let draft = '';

  /** @param {string} text */
  function write(text) {
    input.value = text;
    input.dispatchEvent(new Event('input'));
  }

  /** @param {MessageView} view */
  function begin({ text, requestId }) {
    if (banner.hidden) draft = input.value;
    banner.hidden = false;
    composer.dataset.replaces = `${requestId}`;
    input.setAttribute('aria-describedby', BANNER_ID);
    write(text);
    input.focus();
  }

  function end() {
    banner.hidden = true;
    delete composer.dataset.replaces;
    input.removeAttribute('aria-describedby');
  }

  function onCancel() {
    end();
    write(draft);
    input.focus();
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.key !== 'Escape' || event.isComposing || event.keyCode === 229 || banner.hidden) return;
    // The panel stays open: this Escape was for the editing.
    event.stopPropagation();
    onCancel();
  }

  banner.hidden = true;
  composer.prepend(banner);
  composer.addEventListener('keydown', onKeyDown);
  return {
    /**
     * @param {HTMLElement} element the question's
     * @returns {import('../actions.js').Attachment}
     */
    attach(element) {
      /** @type {MessageView} */
      let view;
      const row = make('div', 'actions', {}, makeAction('edit', () => begin(view), `${words.editQuestion}`, EDIT));
      element.getElementsByClassName('body')[0]?.append(row);
      return {
        update(next, isLast) {
          view = next;
          element.classList.toggle('last', isLast);
          element.classList.toggle('whole', isLast && Boolean(view.requestId));
        },
      };
    },

    /** @param {MessageView} [question] the last one */
    update(question) {
      if (banner.hidden || question?.requestId === composer.dataset.replaces) return;
      end();
      if (!input.value) write(draft);
    },
  };
}
