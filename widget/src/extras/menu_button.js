import { icon, make, makeButton } from '../dom.js';
import { MORE } from './icons.js';

/**
 * @typedef {object} Item
 * @property {string} label
 * @property {string} path its icon
 * @property {() => void} run
 * @property {() => boolean} [isOff] whether there is nothing to do at the moment
 * @property {() => boolean} [isChecked] for what is switched on and off
 * @property {boolean} [isGrave] what cannot be undone
 */

/**
 * A button in the header and the menu that it opens, by pointer and by keys as of the ARIA
 * Authoring Practices: arrows, Home, End, a letter, Escape, Tab.
 *
 * @param {import('../extras.js').Speaking} chat
 * @param {readonly Item[]} items
 */
export function createMenu({ root, panel, words, signal }, items) {
  const button = makeButton('menu-button', () => toggle(Boolean(menu.hidden)), `${words.menu}`, MORE);
  const entries = items.map(makeEntry);
  const menu = make('div', 'menu', { role: 'menu', 'aria-label': `${words.menu}` }, ...entries);
  const holder = make('div', 'menu-holder', {}, button, menu);

  /** @param {Item} item */
  function makeEntry(item) {
    const role = item.isChecked ? 'menuitemcheckbox' : 'menuitem';
    const entry = make('button', item.isGrave ? 'entry grave' : 'entry', { role, tabindex: '-1' });
    entry.append(icon(item.path), item.label);
    entry.addEventListener('click', () => {
      if (item.isOff?.()) return;
      // First, so that what the item shows may take the focus.
      toggle(false);
      item.run();
    });
    return entry;
  }

  /** @param {boolean} isOpen */
  function toggle(isOpen) {
    menu.hidden = !isOpen;
    button.setAttribute('aria-expanded', `${isOpen}`);
    if (!isOpen) {
      if (menu.contains(root.activeElement)) button.focus();
      return;
    }
    items.forEach(({ isOff, isChecked }, at) => {
      entries[at]?.setAttribute('aria-disabled', `${Boolean(isOff?.())}`);
      if (isChecked) entries[at]?.setAttribute('aria-checked', `${isChecked()}`);
    });
    entries[0]?.focus();
  }

  /** @param {number} at */
  function focusEntry(at) {
    entries.at(at % entries.length)?.focus();
  }

  /** @param {KeyboardEvent} event */
  function onKeyDown(event) {
    const at = entries.findIndex((entry) => entry === root.activeElement);
    const { key } = event;
    if (menu.hidden) {
      if (!/^Arrow(Up|Down)$/.test(key)) return;
      toggle(true);
      if (key === 'ArrowUp') focusEntry(-1);
    } else if (key === 'Escape') toggle(false);
    else if (key === 'ArrowDown') focusEntry(at + 1);
    else if (key === 'ArrowUp') focusEntry(at - 1);
    else if (key === 'Home') focusEntry(0);
    else if (key === 'End') focusEntry(-1);
    else if (key === 'Tab') return toggle(false);
    else if (!focusByLetter(key, at)) return;
    event.preventDefault();
    // The panel stays open: this Escape was for the menu.
    event.stopPropagation();
  }

  /**
   * @param {string} key
   * @param {number} at
   */
  function focusByLetter(key, at) {
    if (key.length !== 1 || key === ' ') return false;
    const order = [...items.keys()].map((step) => (at + 1 + step) % items.length);
    const found = order.find((place) => items[place]?.label.toLowerCase().startsWith(key.toLowerCase()));
    if (found !== undefined) focusEntry(found);
    return true;
  }

  menu.hidden = true;
  button.setAttribute('aria-haspopup', 'menu');
  button.setAttribute('aria-expanded', 'false');
  holder.addEventListener('keydown', onKeyDown);
  holder.addEventListener('focusout', ({ relatedTarget }) => {
    if (!menu.hidden && relatedTarget && !holder.contains(/** @type {Node} */ (relatedTarget))) toggle(false);
  });
  // Anywhere else, on the page too.
  const onPointer = (/** @type {Event} */ event) => {
    if (!menu.hidden && !event.composedPath().includes(holder)) toggle(false);
  };
  window.addEventListener('pointerdown', onPointer, { signal, capture: true });
  panel.header.element.insertBefore(holder, panel.header.element.lastChild);
}
