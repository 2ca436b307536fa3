import { make, makeButton } from '../dom.js';
import { asChatError } from '../errors.js';
import { forgetAll, readSession } from '../storage.js';

const TEXT_ID = 'chatbubble-erasing';

/**
 * Asks once, then erases: at the server first, and when it has confirmed in this browser.
 *
 * @param {import('../extras.js').Speaking} chat
 * @returns {() => void} asks
 */
export function createErasing(chat) {
  const { root, frame, panel, words, say } = chat;
  const text = make('p', '', { id: TEXT_ID });
  const cancel = makeButton('calm', close, `${words.cancel}`);
  const erase = makeButton('danger', () => void run(), `${words.deleteNow}`);
  const box = make('div', 'question', { role: 'alertdialog', 'aria-modal': 'true', 'aria-labelledby': TEXT_ID });
  box.append(text, make('div', '', {}, cancel, erase));
  const cover = make('div', 'cover', {}, box);
  /** @type {Element[]} */
  let behind = [];

  function open() {
    text.textContent = `${words.deleteDataAsk}`;
    behind = [...frame.children].filter((element) => !element.hasAttribute('inert'));
    for (const element of behind) element.toggleAttribute('inert', true);
    frame.append(cover);
    cancel.focus();
  }

  function close() {
    for (const element of behind) element.toggleAttribute('inert', false);
    cover.remove();
    panel.show(true, true);
  }

  async function run() {
    erase.disabled = true;
    try {
      await forget(chat);
      close();
      say(`${words.deleted}`);
    } catch (fault) {
      asChatError(fault);
      text.textContent = `${words.notDeleted}`;
      say(`${words.notDeleted}`);
    } finally {
      erase.disabled = false;
    }
  }

  cover.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
    // Nothing else can be reached until it is answered.
    else if (event.key === 'Tab') (root.activeElement === cancel ? erase : cancel).focus();
    else return;
    event.preventDefault();
    // The panel stays open: these keys were for the question.
    event.stopPropagation();
  });
  return open;
}

/**
 * Rejects with a ChatError when the server did not confirm.
 *
 * @param {import('../extras.js').Speaking} chat
 */
async function forget({ server, store, endpoint, home }) {
  // Of somebody who never asked anything the server knows nothing.
  if (readSession(endpoint) || store.get().messages.length) await server.erase();
  await server.drop();
  forgetAll([endpoint, home]);
}
