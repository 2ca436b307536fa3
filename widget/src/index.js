/**
 * The module form: `import { mount } from 'https://shop.example/api/ai/widget.mjs'`.
 */

import { launch } from './launch.js';
import { readOptions } from './options.js';
import * as zhCN from './strings/zh-CN.js';
import * as warnings from './warnings.js';
import { createChat } from './widget.js';

/** Nothing is fetched later: what loads a module is free to split it. @type {Record<string, any>} */
const PARTS = { 'zh-CN': zhCN, warnings };

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
 * @param {Partial<import('./types.js').Options> & {endpoint: string}} options
 * @returns {Handle}
 * @throws {TypeError} without a usable endpoint: there is no script tag to take it from
 */
export function mount(options) {
  const spell = (/** @type {string} */ name) => name;
  const { endpoint } = readOptions(options).options;
  if (!endpoint) throw new TypeError('Chatbubble: mount needs the endpoint, for example "https://shop.example/api/ai".');
  /** @param {string} name */
  const fetchPart = async (name) => PARTS[name];
  const run = launch({ given: options, endpoint, load: async () => ({ createChat, fetchPart }), spell });
  return {
    open: () => run('open'),
    close: () => run('close'),
    toggle: () => run('toggle'),
    ask: (text) => run('ask', text),
    stop: () => run('stop'),
    destroy: () => run('destroy'),
  };
}
