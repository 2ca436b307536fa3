import { make, schedule } from '../dom.js';

/** Long enough for any browser to have begun reading. */
const LIFE_MS = 30_000;

/**
 * Have the browser save a text as a file.
 *
 * @param {ShadowRoot} root
 * @param {string} name
 * @param {string} text
 * @param {string} type its media type
 */
export function saveFile(root, name, text, type) {
  const href = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = make('a', '', { href, download: name });
  link.hidden = true;
  root.append(link);
  link.click();
  link.remove();
  schedule(() => URL.revokeObjectURL(href), LIFE_MS);
}
