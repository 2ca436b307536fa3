import { makeButton } from '../dom.js';

/**
 * A button of an icon alone, whose name is shown to the pointer too.
 *
 * @param {string} name
 * @param {() => void} onClick
 * @param {string} label
 * @param {string} path
 */
export function makeAction(name, onClick, label, path) {
  const button = makeButton(`action ${name}`, onClick, label, path);
  button.title = label;
  return button;
}
