/**
 * The real bubble on this page, as a visitor finds it.
 */

import { until } from './report.js';

export const host = () => document.querySelector('chat-bubble');
export const root = () => host().shadowRoot;
export const find = (selector) => root().querySelector(selector);
export const all = (selector) => [...root().querySelectorAll(selector)];

export const launcher = () => find('[part~=launcher]');
export const panel = () => find('dialog');
export const input = () => find('textarea');
export const isOpen = () => Boolean(panel()) && getComputedStyle(panel()).visibility === 'visible';
export const questions = () => all('[part~=visitor-bubble]').map(({ textContent }) => textContent);

/** The bubble of the newest answer. The first one of all is the greeting. */
export const answer = () => all('[part~=assistant-bubble]').at(-1);
export const answerState = () => answer().closest('article').dataset.state;

export async function ready() {
  await until(() => document.querySelector('chat-bubble')?.shadowRoot, 'the launcher is there');
}

export async function openPanel() {
  if (!input() || !isOpen()) launcher().click();
  await until(() => input() && isOpen(), 'the panel opens');
  // The greeting comes with the answer of the server.
  await until(() => answer(), 'the greeting is there');
}

export function type(text) {
  input().value = text;
  input().dispatchEvent(new InputEvent('input', { bubbles: true, composed: true }));
}

/** An event of the keyboard as the engine would send it; returns whether the browser would go on to act on it. */
export function key(name, { type: kind = 'keydown', code = 0, ...more } = {}) {
  const init = { key: name, bubbles: true, composed: true, cancelable: true, ...more };
  const event = new KeyboardEvent(kind, init);
  // Made up events have no code in any engine: this one is read by name alone.
  if (code) Object.defineProperty(event, 'keyCode', { value: code });
  return input().dispatchEvent(event);
}

export async function ask(text) {
  const count = questions().length;
  type(text);
  key('Enter');
  key('Enter', { type: 'keyup' });
  await until(() => questions().length === count + 1, `asked: ${text.slice(0, 40)}`);
  await until(() => !answer().closest('article').matches('.greeting') && isNewest(), 'its answer begins');
}

/** The last message is the assistant's. */
function isNewest() {
  return all('article').at(-1).contains(answer());
}

export const isSettled = () => /^(done|aborted|failed)$/.test(answerState());

export async function answered() {
  await until(isSettled, 'the answer is over');
}

/** Elements as an outline: `p(strong()a())`. */
export function outline(element) {
  return [...element.children].map((child) => `${child.localName}(${outline(child)})`).join('');
}
