/**
 * Hostile answers as this engine sees them: a conversation full of them is there when the page loads, some more are
 * asked for and written out. None may run, fetch, lead away or hold anything that an answer does not hold.
 */

import { all, answer, answered, ask, openPanel, ready, root } from './bubble.js';
import { equal, finish, group, ok, pause, until } from './report.js';

const XHTML = 'http://www.w3.org/1999/xhtml';
const SCHEMES = ['http:', 'https:', 'mailto:', 'tel:'];
const NAMED = ['class', 'part'];
/** What an answer is made of, with the attributes that each may have. */
const ALLOWED = {
  a: ['href', 'rel', 'target'], button: NAMED, div: [...NAMED, 'role', 'tabindex', 'aria-label'],
  code: ['dir'], figure: NAMED, ol: ['start'], p: NAMED, pre: ['tabindex', 'dir'], span: NAMED,
  td: ['data-align'], th: ['data-align', 'scope'],
};
const OTHERS = 'blockquote br code del em figcaption h3 h4 h5 h6 hr li strong table tr ul'.split(' ');
/** Quotes and items of 16 levels, with what stands in them, and 16 levels of emphasis. */
const DEEPEST = 60;
const options = new URLSearchParams(location.search);
const here = location.href;

function depth(element) {
  return 1 + Math.max(0, ...[...element.children].map(depth));
}

/** Everything that is wrong with one element. */
function faultsOf(element) {
  const { localName, namespaceURI, attributes } = element;
  if (namespaceURI !== XHTML) return [`${namespaceURI} ${localName}`];
  if (!Object.hasOwn(ALLOWED, localName) && !OTHERS.includes(localName)) return [`<${localName}>`];
  // The cursor's class may stand on anything.
  const known = [...(ALLOWED[localName] ?? []), 'class'];
  const unknown = [...attributes].filter(({ name }) => !known.includes(name));
  const faults = unknown.map(({ name }) => `<${localName} ${name}>`);
  if (element.className && !/^(code|copy|host|notice|table|cursor| )*$/.test(element.className)) {
    faults.push(`class ${element.className}`);
  }
  // By the engine's own idea of what the address means.
  if (localName === 'a' && (!SCHEMES.includes(element.protocol) || element.username)) faults.push(element.href);
  return faults;
}

const bubbles = () => all('[part~=assistant-bubble]').slice(1);

function elements() {
  const faults = bubbles().flatMap((bubble) => [...bubble.querySelectorAll('*')].flatMap(faultsOf));
  equal(faults, [], 'elements and attributes that no answer holds');
  for (const tag of ['script', 'style', 'iframe', 'img', 'object', 'embed', 'link', 'base', 'meta']) {
    equal(all(`.messages ${tag}`).length + document.querySelectorAll(`body ${tag}`).length, 0, `elements ${tag}`);
  }
}

function caps() {
  for (const bubble of bubbles()) {
    const text = bubble.textContent;
    const shown = text.slice(0, 60);
    ok(depth(bubble) <= DEEPEST, `no answer is ${depth(bubble)} deep: ${shown}`);
    ok(text.length <= 64 * 1024 + 200, `no answer shows ${text.length} characters: ${shown}`);
    ok(!/\p{M}{9}/u.test(text), `no character carries nine marks: ${shown}`);
    ok(!/[\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}\0-\x08]/u.test(text), `nothing is hidden in ${shown}`);
    for (const code of bubble.querySelectorAll('pre')) ok(code.textContent.length <= 20 * 1024, 'code is cut');
    for (const table of bubble.querySelectorAll('table')) {
      ok(table.rows.length <= 51, `no table has ${table.rows.length} rows`);
      ok([...table.rows].every(({ cells }) => cells.length <= 20), 'no table has more than 20 columns');
    }
  }
}

async function quiet() {
  await pause(300);
  equal(window.watched.scripts, [], 'what ran');
  const own = [location.host, new URL(options.get('api')).host];
  const fetched = performance.getEntriesByType('resource').map(({ name }) => new URL(name).host);
  equal(fetched.filter((host) => !own.includes(host)), [], 'hosts that were asked for something');
  equal([location.href, sessionStorage.getItem('left')], [here, null], 'where this page is');
  equal(window.watched.violations, [], 'violations of the policy');
}

/** One after the other, through the composer, the stream and the typewriter. */
async function live() {
  for (const number of options.get('live').split(',')) {
    await ask(`hostile: ${number}`);
    await answered();
    ok(answer().closest('article').dataset.state === 'done', `answer ${number} is there`);
  }
  elements();
}

sessionStorage.removeItem('left');
window.addEventListener('pagehide', () => sessionStorage.setItem('left', location.href));
await ready();
await openPanel();
const count = Number(options.get('count'));
await group('all are there', async () => {
  await until(() => bubbles().length === count, `${count} answers are there`);
  ok(root().textContent.length > count * 3, 'they are not empty');
});
if (options.get('live')) await group('live', live);
await group('elements', elements);
await group('caps', caps);
await group('quiet', quiet);
finish();
