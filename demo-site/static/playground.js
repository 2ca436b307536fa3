// The playground: a bubble that follows the form, the tag that gives the same one, and what it tells.

const form = document.querySelector('.knobs');
const tag = document.querySelector('.tag code');
const heard = document.querySelector('.heard');
const status = document.querySelector('[role=status]');
/** What `update` changes in a bubble that is there. Anything else takes a new one. */
const LIVE = ['title', 'greeting', 'accent', 'theme', 'position'];
const SHOWN = 8;

const { mount } = await import(form.dataset.module);
let chosen = read();
let bubble = place(chosen);
showTag();

/** The options that were chosen, without those that are as they would be anyway. */
function read() {
  const pairs = [...new FormData(form)].map(([name, value]) => [name, value.trim()]);
  return Object.fromEntries(pairs.filter(([, value]) => value));
}

function place(options) {
  const placed = mount(options);
  for (const name of ['open', 'close', 'send', 'answer', 'error', 'reconnect', 'feedback', 'unread']) {
    placed.on(name, (detail) => tell(name, detail));
  }
  return placed;
}

function tell(name, detail) {
  const line = document.createElement('li');
  const word = document.createElement('strong');
  word.textContent = name;
  const text = JSON.stringify(detail);
  line.append(word, text === '{}' ? '' : ` ${text}`);
  heard.prepend(line);
  while (heard.children.length > SHOWN) heard.lastChild.remove();
}

function follow() {
  const before = chosen;
  chosen = read();
  const names = [...form.elements].map(({ name }) => name).filter((name) => name && chosen[name] !== before[name]);
  const changes = Object.fromEntries(names.map((name) => [name, chosen[name] ?? null]));
  if (names.some((name) => !LIVE.includes(name))) replace();
  else if (names.length) bubble.update(changes);
  showTag();
}

/** A bubble of another kind in place of this one; the conversation goes on in it. */
function replace() {
  const { isOpen } = bubble.store.get();
  bubble.destroy();
  bubble = place(chosen);
  if (isOpen) bubble.open();
}

function showTag() {
  const attributes = Object.entries(chosen).map(([name, value]) => `\n        data-${hyphened(name)}="${escaped(value)}"`);
  tag.textContent = `<script async src="${form.dataset.script}"${attributes.join('')}></script>`;
  status.textContent = '';
}

function hyphened(name) {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function escaped(value) {
  return value.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
}

async function copy() {
  try {
    await navigator.clipboard.writeText(tag.textContent);
    status.textContent = 'Copied.';
  } catch {
    status.textContent = 'Your browser does not let us copy: select the tag and copy it.';
  }
}

form.addEventListener('input', follow);
// The form tells before its fields are as they were.
form.addEventListener('reset', () => setTimeout(follow));
form.addEventListener('submit', (event) => event.preventDefault());
document.querySelector('[data-verb=toggle]').addEventListener('click', () => bubble.toggle());
document.querySelector('[data-verb=copy]').addEventListener('click', copy);
