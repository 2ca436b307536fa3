/**
 * The chat, from the launcher to the end: what every engine has to do alike.
 */

import {
  all, answer, answerState, answered, ask, find, host, input, isOpen, key, launcher, openPanel, outline, panel,
  questions, ready, root, type,
} from './bubble.js';
import { equal, finish, group, ok, pause, phase, press, reload, until } from './report.js';

const RICH = [
  '# Delivery', 'We **deliver** to *Norway*, ~~Mars~~ and `localhost`.', '> Free from £50.',
  '1. Choose.\n2. Pay.\n   - by card', '| Where | Days |\n|---|--:|\n| Oslo | 4 |',
  '[Track it](https://shop.example/track)', '---', '```js\nconst one = 1;\n```', '<b onclick=alert(1)>as text</b>',
].join('\n\n');
const OUTLINE = 'h3()p(strong()em()del()code())blockquote(p())ol(li(p())li(p()ul(li(p()))))'
  + 'div(table(tr(th()th())tr(td()td())))p(a())hr()figure(figcaption(span()button())pre(code()))p()';
const words = (count) => Array.from({ length: count }, (_, at) => `word${at + 1}`).join(' ');

async function launcherAlone() {
  const box = launcher().getBoundingClientRect();
  equal([box.width, box.height], [56, 56], 'the size of the launcher');
  equal(getComputedStyle(launcher()).position, 'fixed', 'its position, by a constructed style sheet');
  equal([localStorage.length, document.cookie], [0, ''], 'what is stored before the first question');
  const fetched = performance.getEntriesByType('resource').filter(({ name }) => name.includes('/assets/'));
  equal(fetched.length, 0, 'what was fetched before the visitor came near');
  ok(!isOpen(), 'the panel is closed');
}

async function opening() {
  await openPanel();
  equal(launcher().getAttribute('aria-expanded'), 'true', 'aria-expanded');
  await until(() => root().activeElement === input(), 'the composer has the focus');
  equal(find('h2').textContent, 'Chat with us', 'the heading');
  ok(panel().getBoundingClientRect().height > 200, 'the panel has its size');
}

async function streaming() {
  await ask('words: 60 at 20');
  const seen = new Set();
  await until(() => {
    const text = answer().textContent;
    ok(words(60).startsWith(text.trim()), `only what was said is shown: ${text}`);
    seen.add(text.length);
    return answerState() === 'done';
  }, 'the answer is over');
  equal(answer().textContent.trim(), words(60), 'the whole answer');
  ok(seen.size >= 8, `it was written out bit by bit, not in ${seen.size} steps`);
}

async function markdown() {
  await ask(`say: ${RICH}`);
  await answered();
  equal(outline(answer()), OUTLINE, 'the shape of the answer');
  const link = answer().querySelector('a');
  equal([link.href, link.rel, link.target],
    ['https://shop.example/track', 'noopener noreferrer nofollow ugc', '_blank'], 'the link');
  equal(getComputedStyle(answer().querySelector('strong')).fontWeight >= 600, true, 'bold is bold');
  ok(answer().lastElementChild.textContent === '<b onclick=alert(1)>as text</b>', 'HTML is text');
}

async function stopping() {
  await ask('words: 2000 at 20');
  await until(() => answer().textContent.includes('word3'), 'the answer flows');
  find('[part~=stop]').click();
  await until(() => answerState() === 'aborted' && find('[part~=stop]').hidden, 'the answer is stopped');
  // The last words come with the server's confirmation.
  let text;
  do {
    text = answer().textContent;
    await pause(1000);
  } while (answer().textContent !== text);
  ok(text.length < 2000, 'the end came long before the last word');
  equal(answerState(), 'aborted', 'the state of the answer');
}

async function syntheticKeys() {
  const before = questions().length;
  type('one');
  equal(key('Enter', { shiftKey: true }), true, 'Shift+Enter is left to the browser');
  equal(questions().length, before, 'questions after Shift+Enter');
  equal(key('Enter'), false, 'Enter is taken');
  await until(() => questions().length === before + 1, 'Enter sends');
  equal(input().value, '', 'the field after sending');
  await answered();
  key('Escape', { isComposing: true });
  ok(isOpen(), 'the Escape of an input method closes nothing');
  key('Escape');
  await until(() => !isOpen(), 'Escape closes');
  equal(root().activeElement, launcher(), 'the focus goes back to the launcher');
  await openPanel();
}

const composition = (kind, data) => input().dispatchEvent(
  new CompositionEvent(kind, { data, bubbles: true, composed: true }),
);

/** Each engine's own order of events around the Enter that picks a word: none of them sends. */
async function composing() {
  const before = questions().length;
  input().focus();
  const begin = () => {
    type('にほん');
    composition('compositionstart', '');
    composition('compositionupdate', 'にほん');
  };
  // Chromium and Firefox: the key first, marked.
  begin();
  key('Enter', { isComposing: true, code: 229 });
  composition('compositionend', '日本');
  key('Enter', { type: 'keyup' });
  // Safari: the end first, then the key with the code of an input method.
  begin();
  composition('compositionend', '日本');
  key('Enter', { code: 229 });
  key('Enter', { type: 'keyup' });
  // Safari again: or the key is one like any other.
  begin();
  composition('compositionend', '日本');
  equal(key('Enter', { code: 13 }), false, 'the Enter that ended the composition breaks no line');
  equal(questions().length, before, 'questions during the composition');
  key('Enter', { type: 'keyup' });
  key('Enter');
  await until(() => questions().length === before + 1, 'the next Enter sends');
  await answered();
}

async function realKeys() {
  const before = questions().length;
  input().focus();
  await press(['one', 'Shift+Enter', 'two'], () => input().value === 'one\ntwo', 'two lines typed');
  await press(['Enter'], () => questions().length === before + 1, 'the question is sent');
  equal(questions().at(-1), 'one\ntwo', 'the question');
  await answered();
  await press(['F6'], () => root().activeElement?.matches('[role=log]'), 'F6 goes to the transcript');
  await press(['F6'], () => root().activeElement === input(), 'and back to the composer');
  await press(['Escape'], () => !isOpen(), 'the panel closes');
  equal(root().activeElement, launcher(), 'the focus is on the launcher');
  await press(['Enter'], () => isOpen() && root().activeElement === input(), 'the panel opens again');
}

async function styles() {
  ok(root().adoptedStyleSheets.length >= 2, 'the styles are constructed sheets');
  equal(document.adoptedStyleSheets.length, 0, 'the page has none of them');
  equal(all('style, link').length, 0, 'style elements');
  equal([...document.querySelectorAll('style, link')].length, 0, 'style elements on the page');
  equal(getComputedStyle(panel()).fontSize, '15px', 'the text size');
}

async function resuming() {
  equal(all('article').length, Number(sessionStorage.getItem('articles')), 'messages after the reload');
  await answered();
  equal(answer().textContent.trim(), words(150), 'the answer that went on across the reload');
}

async function leaving() {
  window.Chatbubble('destroy');
  await pause(200);
  equal([host(), typeof window.Chatbubble], [null, 'undefined'], 'what is left of the bubble');
  equal(document.body.children.length, 1, 'children of the body');
  equal(Object.keys(localStorage).map((name) => name.split(':')[1]), ['session'], 'what is stored');
  ok(performance.getEntriesByType('resource').every(({ name }) => new URL(name).hostname === location.hostname),
    'nothing was fetched from elsewhere');
}

async function first() {
  await group('launcher', launcherAlone);
  await group('open', opening);
  await group('stream', streaming);
  await group('markdown', markdown);
  await group('stop', stopping);
  await group('synthetic keys', syntheticKeys);
  await group('input methods', composing);
  await group('real keys', realKeys);
  await group('styles', styles);
  await ask('words: 150 at 25');
  await until(() => answer().textContent.includes('word20'), 'the answer flows');
  sessionStorage.setItem('articles', `${all('article').length}`);
  sessionStorage.setItem('violations', JSON.stringify(window.watched.violations));
  reload();
}

async function second() {
  await group('panel opens itself', () => until(() => input() && isOpen() && answer(), 'the panel opens itself')
    .then(() => 'ok'));
  await until(() => answer()?.textContent.includes('word'), 'the answer is there');
  await group('resume', resuming);
  await group('destroy', leaving);
  await group('policy', () => {
    const violations = [...JSON.parse(sessionStorage.getItem('violations')), ...window.watched.violations];
    equal(violations, [], 'violations of the policy');
    equal(window.watched.scripts, [], 'errors and scripts that should not run');
  });
  finish();
}

await ready();
await (phase === 0 ? first() : second());
