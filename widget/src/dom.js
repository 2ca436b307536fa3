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
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Make an icon that says nothing to a screen reader: its button carries the name.
 *
 * @param {string} path SVG path data on a grid of 24 by 24
 * @param {string} [name] a class to style it by
 * @returns {SVGSVGElement}
 */
export function icon(path, name = '') {
  const svg = document.createElementNS(SVG, 'svg');
  const shape = document.createElementNS(SVG, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', `icon ${name}`);
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

const INLINE = new Set(['#text', 'A', 'B', 'CODE', 'DEL', 'EM', 'SPAN', 'STRONG', 'SUP']);

/**
 * The text of a node as it would be read out: blocks apart from each other, buttons left out.
 *
 * @param {Node} node
 * @returns {string}
 */
export function readAloud(node) {
  if (node.nodeName === 'BUTTON') return '';
  const text = node.hasChildNodes() ? Array.from(node.childNodes, readAloud).join('') : (node.nodeValue ?? '');
  return INLINE.has(node.nodeName) ? text : `${text.trim()}\n`;
}
