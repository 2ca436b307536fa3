/**
 * The module form: `import { mount } from 'https://shop.example/api/ai/widget.mjs'`.
 */

import { createHandle } from './handle.js';
import { launch } from './launch.js';

/**
 * Put a bubble on the page.
 *
 * @param {Partial<import('./types.js').Options>} [options]
 * @returns {import('./public.js').Handle}
 */
export function mount(options = {}) {
  return createHandle(launch(options, import.meta.url, undefined, String));
}
