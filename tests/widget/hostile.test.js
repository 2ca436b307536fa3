import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createMarkdown } from '../../widget/src/markdown.js';
import { createRenderer } from '../../widget/src/render.js';
import { chat as en } from '../../widget/src/strings/en.js';
import { createDocument, findAll, inside } from './fixtures/fake_document.js';
import { HOSTILE } from './fixtures/hostile_answers.js';
import { pieces, seeded } from './seeds.js';

// The document of these tests throws at any element, attribute, address, control character or change that no answer
// may hold, so at each of the moments below it is enough that nothing was thrown.

/** Where an answer is shown, and how to go on with it. */
function createPlace() {
  const document = globalThis.document = createDocument();
  const root = document.createElement('div');
  return { root, markdown: createMarkdown(createRenderer(root, en)) };
}

function show(...parts) {
  const { root, markdown } = createPlace();
  for (const part of parts) markdown.push(part);
  markdown.end();
  return root;
}

const addresses = (root) => findAll(root, 'a').map(({ attributes }) => attributes.get('href'));

/** Longer ones are cut into pieces; that goes through all of their states too. */
const SHORT = 120;

test('there are more than a thousand of them, and no two are the same', () => {
  const all = Object.values(HOSTILE).flat();
  assert.ok(all.length > 1000, `${all.length}`);
  assert.equal(new Set(all).size, all.length);
});

for (const [family, answers] of Object.entries(HOSTILE)) {
  describe(`${answers.length} hostile answers: ${family}`, () => {
    test('whole, and letter by letter', () => {
      for (const answer of answers) assert.equal(inside(show(...answer.split(''))), inside(show(answer)), answer);
    });

    test('cut in two anywhere', () => {
      for (const answer of answers.filter(({ length }) => length <= SHORT)) {
        const whole = inside(show(answer));
        for (let at = 1; at < answer.length; at++) {
          assert.equal(inside(show(answer.slice(0, at), answer.slice(at))), whole, `${answer} at ${at}`);
        }
      }
    });

    test('in random pieces', () => {
      for (const answer of answers) {
        const random = seeded(answer.length);
        assert.equal(inside(show(...pieces(random, answer, 9))), inside(show(answer)), answer);
      }
    });
  });
}

test('no hostile address becomes a link; the harmless one behind some of them may', () => {
  for (const answer of HOSTILE.links) {
    const harmful = addresses(show(answer)).filter((href) => !/^https:\/\/(?:a|evil|shop)\.example\//.test(href));
    assert.deepEqual(harmful, [], answer);
  }
});

test('no link has a name or password before its host', () => {
  for (const href of Object.values(HOSTILE).flat().flatMap((answer) => addresses(show(answer)))) {
    const { username, password } = new URL(href);
    assert.equal(username + password, '', href);
  }
});

test('HTML is shown letter by letter', () => {
  // What is markdown, an entity or a control character besides is another story.
  const plain = HOSTILE.html.filter((each) => !/[\0-\x08\x0b-\x1f\x7f\\&`]|\w@\w|<br|--|\n>/.test(each));
  assert.ok(plain.length > 120, `${plain.length}`);
  for (const answer of plain) assert.equal(show(answer).textContent, answer);
});

test('an attack cut anywhere is no link at any time', () => {
  const answer = 'See [the offer](javascript:alert(1)) and [the other](https://shop.example).';
  for (let at = 1; at < answer.length; at++) {
    const { root, markdown } = createPlace();
    markdown.push(answer.slice(0, at));
    const early = addresses(root);
    markdown.push(answer.slice(at));
    assert.deepEqual(early, at < answer.length - 1 ? [] : ['https://shop.example/']);
    assert.deepEqual(addresses(root), ['https://shop.example/']);
  }
});

test('polluted prototypes change nothing', () => {
  const answer = '[a](https://a.example) &amp; &x; `b` **c**\n\n```js\nd\n```\n\n| e |\n|---|\n| f |\n\n1. g';
  const clean = inside(show(answer));
  const names = ['amp', 'x', 'a', '*', 'href', 'class', 'detail', 'onclick', 'admit', 'finish', 'mark', 'indent'];
  const pollution = { value: 'polluted', configurable: true, enumerable: true, writable: true };
  for (const name of names) Object.defineProperty(Object.prototype, name, pollution);
  try {
    assert.equal(inside(show(answer)), clean);
  } finally {
    for (const name of names) delete Object.prototype[name];
  }
});
