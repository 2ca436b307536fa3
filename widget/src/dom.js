/**
 * The few DOM moves that the views are made of. Elements come from createElement, style sheets
 * are constructed: no HTML string, no style element and no style attribute exists anywhere, so
 * the strictest page policy has nothing to refuse.
 */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Make an element.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} [name] what our style sheets know it by as class, and the page's as part
 * @param {Record<string, string>} [attributes] without those that are empty
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, name = '', attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries({ class: name, part: name, ...attributes })) {
    if (value) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/**
 * Make a button.
 *
 * @param {string} name as of `make`
 * @param {(event: Event) => void} onClick
 * @param {string} label what it is called: its text, or where it has an icon what a screen reader says
 * @param {string} [path] the icon, as of `icon`
 * @returns {HTMLButtonElement}
 */
export function makeButton(name, onClick, label, path = '') {
  const button = make('button', name, { 'aria-label': path && label }, path ? icon(path) : label);
  button.addEventListener('click', onClick);
  return button;
}

/**
 * Make an icon that says nothing to a screen reader: its button carries the name.
 *
 * @param {string} path SVG path data on a grid of 24 by 24
 * @returns {SVGSVGElement}
 */
export function icon(path) {
  const svg = document.createElementNS(SVG, 'svg');
  const shape = document.createElementNS(SVG, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', 'icon');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

/**
 * Give a shadow root one more style sheet.
 *
 * @param {ShadowRoot} root
 * @param {string} css
 * @param {CSSStyleSheetInit} [options] for example the media query under which it applies
 * @returns {void}
 */
export function adopt(root, css, options) {
  const sheet = new CSSStyleSheet(options);
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}

/**
 * @type {import('./types.js').Schedule}
 */
export function schedule(run, ms) {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}
