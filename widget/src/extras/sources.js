import { make } from '../dom.js';
import { readLink } from '../links.js';
import { makeAction } from './action.js';
import { BACK } from './icons.js';

const MARK = /\[(\d{1,3})\]/g;
/** Where numbers in brackets mean something else, or were seen already. */
const NO_MARKS = 'a, button, code';

/** @typedef {Partial<Record<'n' | 'title' | 'url' | 'snippet', unknown>>} Source as it came: anything */

/**
 * Where an answer's words come from: a list to be opened, and in the text a button for each mark
 * `[n]` of one that is in the list. The text's nodes stay, so that what is selected stays selected.
 *
 * @param {Element} bubble
 * @param {unknown} sources as they came
 * @param {import('../types.js').Words} words
 * @returns {HTMLElement | null} null where there are none
 */
export function createSources(bubble, sources, words) {
  if (!Array.isArray(sources) || !sources.length) return null;
  const count = make('span', 'number', {}, `${sources.length}`);
  const list = make('ol');
  const element = make('details', 'sources', {}, make('summary', '', {}, `${words.sources}`, count), list);
  /** @type {Map<string, HTMLElement>} */
  const entries = new Map(sources.map((source) => [`${source?.n}`, createEntry(source ?? {})]));
  /** Where the visitor came from. @type {HTMLElement | null} */
  let origin = null;

  list.append(...entries.values());
  wrapMarks(bubble, entries);
  for (const mark of /** @type {NodeListOf<HTMLElement>} */ (bubble.querySelectorAll('.mark'))) {
    const entry = entries.get(`${mark.textContent}`);
    if (!entry) continue;
    mark.setAttribute('aria-label', `${words.source}`.replace('{n}', `${mark.textContent}`));
    mark.onclick = () => {
      origin = mark;
      element.open = true;
      entry.focus();
    };
    if (entry.lastElementChild?.nodeName === 'BUTTON') continue;
    entry.append(makeAction('back', () => (origin ?? mark).focus(), `${words.backToText}`, BACK));
  }
  return element;
}

/** @param {Source} source */
function createEntry({ n, title, url, snippet }) {
  const link = readLink(`${url ?? ''}`);
  const name = `${title || link?.host || n}`;
  const heading = link
    ? make('a', '', { href: link.href, target: '_blank', rel: 'noopener noreferrer nofollow ugc' }, name)
    : name;
  const about = make('div', '', {}, heading);
  if (link) about.append(make('p', 'host', {}, link.host));
  if (snippet) about.append(make('p', 'snippet', {}, `${snippet}`));
  const number = make('span', 'number', {}, `${n}`);
  return make('li', 'source', { tabindex: '-1', dir: 'auto' }, number, about);
}

/**
 * @param {Element} bubble
 * @param {ReadonlyMap<string, unknown>} entries
 */
function wrapMarks(bubble, entries) {
  const walker = document.createTreeWalker(bubble, NodeFilter.SHOW_TEXT);
  /** @type {Text[]} */
  const texts = [];
  while (walker.nextNode()) texts.push(/** @type {Text} */ (walker.currentNode));
  for (const text of texts) {
    if (text.parentElement?.closest(NO_MARKS)) continue;
    // From the end, so that the places of those before it stay.
    for (const { 0: mark, 1: n = '', index = 0 } of [...text.data.matchAll(MARK)].reverse()) {
      if (!entries.has(n)) continue;
      const node = text.splitText(index);
      node.splitText(mark.length);
      const button = make('button', 'mark');
      node.parentNode?.insertBefore(button, node);
      node.data = n;
      button.append(node);
    }
  }
}
