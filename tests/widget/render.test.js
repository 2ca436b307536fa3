import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';

import { createMarkdown } from '../../widget/src/markdown.js';
import { createRenderer, MAX_CODE } from '../../widget/src/render.js';
import { chat as en } from '../../widget/src/strings/en.js';
import { createDocument, findAll, inside, markup } from './fixtures/fake_document.js';

const find = (node, name) => findAll(node, name)[0];

/** A place that an answer is rendered into. */
function createPlace({ onCopy = async () => {} } = {}) {
  const document = globalThis.document = createDocument();
  const root = document.createElement('div');
  const renderer = createRenderer(root, en, onCopy);
  return { document, root, markdown: createMarkdown(renderer) };
}

function render(text) {
  const { root, markdown } = createPlace();
  markdown.push(text);
  markdown.end();
  return inside(root);
}

const LINK = 'rel="noopener noreferrer nofollow ugc" target="_blank"';

describe('elements', () => {
  for (const [input, expected] of [
    ['One *two* **three** ~~four~~ `five`  \nsix',
      '<p>One <em>two</em> <strong>three</strong> <del>four</del> <code dir="ltr">five</code><br></br>six</p>'],
    ['- a\n- b', '<ul><li><p>a</p></li><li><p>b</p></li></ul>'],
    ['1. a', '<ol start="1"><li><p>a</p></li></ol>'],
    ['07. a', '<ol start="07"><li><p>a</p></li></ol>'],
    ['0. a', '<ol start="0"><li><p>a</p></li></ol>'],
    ['> a', '<blockquote><p>a</p></blockquote>'],
    ['---', '<hr></hr>'],
    ['# a', '<h3>a</h3>'],
    ['#### a', '<h3>a</h3>'],
    ['<b>a</b>', '<p><b>a</b></p>'],
  ]) {
    test(JSON.stringify(input), () => assert.equal(render(input), expected));
  }

  for (const [input, expected] of [
    ['# a\n## b\n### c\n#### d\n##### e\n# f', 'h3 h4 h5 h6 h6 h3'],
    ['### a\n### b\n#### c\n## d\n### e', 'h3 h3 h4 h3 h4'],
    ['# a\n#### b\n#### c\n### d', 'h3 h4 h4 h4'],
  ]) {
    test(`headings skip no level: ${JSON.stringify(input)}`, () => {
      assert.equal(render(input).match(/(?<=<)h\d/g).join(' '), expected);
    });
  }

  test('a table scrolls by itself, its header cells head columns', () => {
    assert.equal(render('| a | b |\n|---|--:|\n| 1 | 2 |'),
      '<div class="table" part="table" role="group" tabindex="0" aria-label="Table"><table>'
      + '<tr><th scope="col">a</th><th scope="col" data-align="right">b</th></tr>'
      + '<tr><td>1</td><td data-align="right">2</td></tr></table></div>');
  });

  test('code has its language, a button and a box that scrolls', () => {
    assert.equal(render('```js\nlet a;\n```'),
      '<figure class="code" part="code"><figcaption><span>js</span>'
      + '<button class="copy" part="copy">Copy</button></figcaption>'
      + '<pre tabindex="0" dir="ltr"><code>let a;</code></pre></figure>');
  });

  test('code of no language is called code', () => {
    assert.match(render('```\na'), /<span>Code<\/span>/);
  });

  test('a notice says that something is too long', () => {
    assert.match(render(`| a |\n|---|\n${'| b |\n'.repeat(51)}`),
      /<\/div><p class="notice" part="notice">The rest is too long to be shown here.<\/p>$/);
  });
});

describe('links', () => {
  for (const [input, expected] of [
    ['[a](https://b.example/c)', `<a href="https://b.example/c" ${LINK}>a</a>`],
    ['[a](HTTPS://B.example)', `<a href="https://b.example/" ${LINK}>a</a>`],
    ['<a@b.example>', `<a href="mailto:a@b.example" ${LINK}>a@b.example</a>`],
    ['[call](tel:+123)', `<a href="tel:+123" ${LINK}>call</a>`],
    ['![a picture](https://b.example/c.png)', `<a href="https://b.example/c.png" ${LINK}>a picture</a>`],
    ['![](https://b.example/c.png)', `<a href="https://b.example/c.png" ${LINK}>https://b.example/c.png</a>`],
    ['[a](javascript:alert(1)) b', 'a b'],
    ['[**a**](/returns) b', '<strong>a</strong> b'],
    ['[bank.example](https://evil.example)',
      `<a href="https://evil.example/" ${LINK}>bank.example<span class="host" part="host"> (evil.example)</span></a>`],
    ['https://bücher.example',
      `<a href="https://xn--bcher-kva.example/" ${LINK}>https://bücher.example<span class="host" part="host"> `
      + '(xn--bcher-kva.example)</span></a>'],
  ]) {
    test(input, () => assert.equal(render(input), `<p>${expected}</p>`));
  }

  test('a link is there when it is complete, not before', () => {
    const { root, markdown } = createPlace();
    for (const piece of ['See [the', ' shop](https', '://shop.example']) {
      markdown.push(piece);
      assert.equal(inside(root), '<p>See </p>');
    }
    markdown.push(')');
    assert.equal(inside(root), `<p>See <a href="https://shop.example/" ${LINK}>the shop</a></p>`);
  });
});

describe('growing', () => {
  test('text goes on in the node where it ended', () => {
    const { root, markdown } = createPlace();
    markdown.push('One two');
    const text = find(root, 'p').lastChild;
    markdown.push(' three');
    markdown.push(' four');
    assert.equal(find(root, 'p').lastChild, text);
    assert.equal(text.data, 'One two three four');
  });

  test('text goes on around a link that is none', () => {
    const { root, markdown } = createPlace();
    markdown.push('One [two](javascript:x) three');
    assert.equal(find(root, 'p').children.length, 1);
  });

  test('text behind an element has a node of its own', () => {
    const { root, markdown } = createPlace();
    markdown.push('One **two** three');
    assert.deepEqual(find(root, 'p').children.map(markup), ['One ', '<strong>two</strong>', ' three']);
  });
});

describe('copying code', () => {
  /** A place with code in it, and its button. */
  function createCode(text, options) {
    const place = createPlace(options);
    place.markdown.push(text);
    return { ...place, button: find(place.root, 'button') };
  }

  test('gives all of it as it is by then, and says so', async () => {
    const copied = [];
    const { button, markdown } = createCode('```\na\n', { onCopy: async (code) => copied.push(code) });
    markdown.push(' b\n```\n');
    button.fire('click');
    await setImmediate();
    assert.deepEqual(copied, ['a\n b']);
    assert.equal(button.textContent, 'Copied');
  });

  for (const type of ['blur', 'pointerleave']) {
    test(`the button is itself again after ${type}`, async () => {
      const { button } = createCode('```\na\n```');
      button.fire('click');
      await setImmediate();
      button.fire(type);
      assert.equal(button.textContent, 'Copy');
    });
  }

  test('where the browser does not allow it, the code is selected', async () => {
    const { button, document, root } = createCode('```\na\n```', { onCopy: () => Promise.reject(new Error('no')) });
    button.fire('click');
    await setImmediate();
    assert.deepEqual(document.selected, [find(root, 'code')]);
    assert.equal(button.textContent, 'Copy');
  });

  test('where nothing can be selected either, nothing happens', async () => {
    const { button, document } = createCode('```\na\n```', { onCopy: () => Promise.reject(new Error('no')) });
    document.getSelection = () => null;
    button.fire('click');
    await setImmediate();
    assert.equal(button.textContent, 'Copy');
  });

  test('20 KB are shown, all is copied', async () => {
    const copied = [];
    const code = `${'x'.repeat(MAX_CODE - 1)}😀${'y'.repeat(50)}`;
    const { button, root, markdown } = createCode(`\`\`\`\n${code}`, { onCopy: async (all) => copied.push(all) });
    markdown.push('z\n```\n');
    button.fire('click');
    await setImmediate();
    assert.equal(find(root, 'code').textContent, 'x'.repeat(MAX_CODE - 1));
    assert.deepEqual(copied, [`${code}z`]);
    assert.equal(inside(root).split('class="notice"').length, 2);
  });

  test('20 KB exactly are shown without a notice, whatever comes then with one', () => {
    const { root, markdown } = createCode(`\`\`\`\n${'x'.repeat(MAX_CODE)}`);
    assert.doesNotMatch(inside(root), /notice/);
    markdown.push('y');
    assert.match(inside(root), /x<\/code><\/pre><p class="notice" part="notice">/);
  });

  test('the text behind long code is shown', () => {
    assert.match(render(`\`\`\`\n${'x'.repeat(MAX_CODE + 1)}\n\`\`\`\nafter`), /<p>after<\/p>$/);
  });
});
