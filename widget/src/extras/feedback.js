import { make } from '../dom.js';
import { makeAction } from './action.js';
import { THUMB } from './icons.js';

/** What the server takes, in characters. */
const LONGEST_COMMENT = '1000';
const PATIENCE_MS = 20_000;

/** @typedef {'up' | 'down' | null} Rating */

/**
 * Two thumbs for an answer, and after the one that points down a word on what was wrong. What is
 * pressed is shown at once, and taken back when the server does not confirm.
 *
 * @param {import('../extras.js').Speaking} chat
 */
export function createFeedback(chat) {
  const { words, say } = chat;
  const up = makeAction('good', () => void rate('up'), `${words.goodAnswer}`, THUMB);
  const down = makeAction('bad', () => void rate('down'), `${words.badAnswer}`, THUMB);
  const input = make('input', '', { maxlength: LONGEST_COMMENT, placeholder: `${words.whatWasWrong}` });
  input.setAttribute('aria-label', `${words.whatWasWrong}`);
  const form = make('form', 'comment', {}, input, make('button', 'send-comment', {}, words.send));
  const note = make('p', 'note');
  const element = make('div', 'feedback', {}, form, note);
  /** @type {Rating} */
  let rating = null;
  /** @type {string | null} */
  let messageId = null;
  /** What this page has done counts more than the server's copy of earlier. */
  let isTouched = false;

  /** @param {Rating} next */
  function show(next) {
    rating = next;
    up.setAttribute('aria-pressed', `${next === 'up'}`);
    down.setAttribute('aria-pressed', `${next === 'down'}`);
    if (next !== 'down') form.hidden = true;
  }

  /** @param {string} text */
  function tell(text) {
    note.textContent = text;
    note.hidden = !text;
    if (text) say(text);
  }

  /** @param {Exclude<Rating, null>} pressed */
  async function rate(pressed) {
    const before = rating;
    isTouched = true;
    tell('');
    show(pressed === rating ? null : pressed);
    form.hidden = rating !== 'down';
    const wish = rating;
    try {
      await post(chat, { messageId, rating });
    } catch {
      // Another press meanwhile has its own answer.
      if (rating !== wish) return;
      show(before);
      tell(`${words.notSent}`);
    }
  }

  /** @param {Event} event */
  async function onSubmit(event) {
    event.preventDefault();
    const comment = input.value.trim();
    if (!comment) return;
    try {
      await post(chat, { messageId, rating: 'down', comment });
      if (input.matches(':focus')) down.focus();
      form.hidden = true;
      input.value = '';
      tell(`${words.thanks}`);
    } catch {
      tell(`${words.notSent}`);
    }
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    if (event.key !== 'Escape' || event.isComposing) return;
    // The panel stays open: this Escape was for the field.
    event.stopPropagation();
    form.hidden = true;
    down.focus();
  }

  form.addEventListener('submit', onSubmit);
  form.addEventListener('keydown', onKeyDown);
  form.hidden = true;
  tell('');
  show(null);
  return {
    element,
    thumbs: [up, down],
    /** @param {import('../types.js').MessageView} view */
    update(view) {
      messageId = view.author === 'assistant' ? view.messageId : null;
      for (const thumb of [up, down]) thumb.toggleAttribute('hidden', !messageId);
      const told = view.more?.feedback?.rating ?? null;
      if (!isTouched && told !== rating) show(told);
    },
  };
}

/**
 * Rejects unless the server confirms. Then the page is told.
 *
 * @param {import('../extras.js').Speaking} chat
 * @param {{messageId: string | null, rating: Rating, comment?: string}} body
 */
async function post({ host, endpoint, server }, body) {
  const { status } = await fetch(`${endpoint}/feedback`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${server.session}` },
    signal: AbortSignal.timeout(PATIENCE_MS),
    credentials: 'omit',
    // The session id is a secret: it does not follow a redirect to somebody else.
    redirect: 'error',
  });
  // Our server's own word: a login page says 200 to anything.
  if (status !== 204) throw new Error(`The server answered ${status}`);
  const detail = { comment: '', ...body };
  host.dispatchEvent(new CustomEvent('chatbubble:feedback', { detail, bubbles: true, composed: true }));
}
