/**
 * The menu in the header: a new conversation, a copy of this one, the sound, and the end of all
 * that is known of the visitor. And how the launcher tells of answers that came while it was closed.
 */

import { conversationAsJson, conversationAsText, fileName } from './extras/copies.js';
import { saveFile } from './extras/download.js';
import { createErasing } from './extras/erasing.js';
import { BELL, BIN, BRACES, PLUS, SAVE } from './extras/icons.js';
import { createMenu } from './extras/menu_button.js';
import { createSound } from './extras/sound.js';
import { showUnread } from './extras/unread.js';
import { adopt } from './dom.js';
import { signedParts } from './storage.js';
import css from './styles/menu.css';

/** @param {import('./extras.js').Speaking} chat */
export function start(chat) {
  const { root, store, panel, server, words, locale } = chat;
  const sound = createSound(chat);
  const askToErase = createErasing(chat);

  function renew() {
    const { turn } = store.get();
    // Nobody will read that answer.
    if (turn?.streamId) void abort(chat, turn.streamId);
    void server.drop();
    panel.show(true, true);
  }

  /** @param {'txt' | 'json'} kind */
  function save(kind) {
    const now = new Date();
    const title = `${panel.header.title.textContent}`;
    const write = kind === 'txt' ? conversationAsText : conversationAsJson;
    const file = write(store.get(), { title, words, locale, url: location.origin + location.pathname, now });
    saveFile(root, fileName(title, now, kind), file, kind === 'txt' ? 'text/plain' : 'application/json');
  }

  adopt(root, css);
  showUnread(chat, sound.play);
  const isEmpty = () => !store.get().messages.length;
  // A person has one conversation, and is not signed out by the way.
  const isKnown = () => Boolean(signedParts(server.session)[1]);
  createMenu(chat, [
    { label: `${words.newConversation}`, path: PLUS, run: renew, isOff: () => isEmpty() || isKnown() },
    { label: `${words.saveText}`, path: SAVE, run: () => save('txt'), isOff: isEmpty },
    { label: `${words.saveJson}`, path: BRACES, run: () => save('json'), isOff: isEmpty },
    { label: `${words.sound}`, path: BELL, run: sound.toggle, isChecked: sound.isOn },
    { label: `${words.deleteData}`, path: BIN, run: askToErase, isGrave: true },
  ]);
}

/**
 * Stops an answer that nobody waits for. Its end is between us and the server, so a failure is
 * nothing to tell: the answer then ends by itself.
 *
 * @param {import('./extras.js').Speaking} chat
 * @param {string} streamId
 */
async function abort({ endpoint, server }, streamId) {
  const headers = { Authorization: `Bearer ${server.session}` };
  const how = /** @type {const} */ ({ method: 'POST', headers, credentials: 'omit', redirect: 'error' });
  await fetch(`${endpoint}/chat/${streamId}/abort`, how).catch(() => null);
}
