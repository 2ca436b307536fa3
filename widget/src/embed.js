/**
 * The script tag: `<script async src="https://shop.example/api/ai/widget.js"></script>`.
 *
 * Puts the bubble on the page and one function, `Chatbubble`, into its global scope:
 * `Chatbubble('ask', 'Do you ship to Norway?')`. A page that calls it before this file is there
 * declares it first and has its calls answered later, in order:
 *
 *     window.Chatbubble ||= (...call) => (Chatbubble.q ??= []).push(call);
 */

import { launch } from './launch.js';

/** @typedef {import('./launch.js').Run & {q?: Parameters<import('./launch.js').Run>[]}} Global */

/** @type {typeof window & {Chatbubble?: Global}} */
const page = window;
const tag = /** @type {HTMLScriptElement | null} */ (document.currentScript);

// The tag may be there twice. A waiting page's own function names no parameter, ours does.
if (tag && !page.Chatbubble?.length) start(tag);

/** @param {HTMLScriptElement} script */
function start({ src, dataset }) {
  const waiting = page.Chatbubble?.q ?? [];
  /** @type {Global} */
  const run = launch({ ...dataset }, src, () => delete page.Chatbubble);
  page.Chatbubble = run;
  for (const call of waiting) run(...call);
}
