/**
 * The module form: `import { mount } from 'https://shop.example/api/ai/widget.mjs'`.
 */

import { launch } from './launch.js';

/**
 * What a page can do with its bubble.
 *
 * @typedef {object} Handle
 * @property {() => void} open
 * @property {() => void} close
 * @property {() => void} toggle
 * @property {(text: string) => void} ask opens the panel and asks
 * @property {() => void} stop ends the running answer
 * @property {() => void} destroy takes everything off the page. The conversation stays: on the server, and under its
 *   session id in this browser
 */

/**
 * Put a bubble on the page.
 *
 * @param {Partial<import('./types.js').Options>} [options]
 * @returns {Handle}
 */
export function mount(options = {}) {
  const run = launch({ given: options, script: import.meta.url, spell: String });
  return {
    open: () => run('open'),
    close: () => run('close'),
    toggle: () => run('toggle'),
    ask: (text) => run('ask', text),
    stop: () => run('stop'),
    destroy: () => run('destroy'),
  };
}
