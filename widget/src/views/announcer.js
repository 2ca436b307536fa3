import { make } from '../dom.js';

/**
 * The one place from which a screen reader is told what happens, in whole sentences and never
 * piece by piece. It must be on the page before its text changes, and outside the panel, so that an
 * answer is told even when the panel was closed meanwhile.
 *
 * @param {ShadowRoot} root
 * @returns {(text: string) => void} says it when the visitor pauses
 */
export function createAnnouncer(root) {
  const region = make('p', 'announcer', { role: 'status' });
  root.append(region);
  return (text) => region.replaceChildren(text);
}
