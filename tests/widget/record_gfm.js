/**
 * Writes fixtures/gfm.json: what marked makes of the texts of fixtures/gfm_texts.js, as the trees
 * that our own recorder makes. The tests need no marked that way. To record anew:
 *
 *     npm install --no-save --prefix widget marked && node tests/widget/record_gfm.js
 */

import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { GFM_TEXTS } from './fixtures/gfm_texts.js';
import { outline } from './fixtures/outline.js';

const require = createRequire(new URL('../../widget/package.json', import.meta.url));
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

const decode = (text) => text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => ENTITIES[name]);

const node = (type, detail, children) => ({ type, detail, children: join(children) });

/** Neighbouring texts are one. */
function join(children) {
  const joined = [];
  for (const child of children.filter((each) => each !== '')) {
    if (typeof child === 'string' && typeof joined.at(-1) === 'string') joined.push(joined.pop() + child);
    else joined.push(child);
  }
  return joined;
}

function block(token) {
  const { type, tokens = [] } = token;
  switch (type) {
    case 'space': case 'def': case 'checkbox': return [];
    case 'hr': return [node('hr', '', [])];
    case 'heading': return [node('h', '#'.repeat(token.depth), tokens.flatMap(inline))];
    case 'code': return [node('pre', (token.lang ?? '').split(/[\s{,]/)[0], [token.text])];
    case 'blockquote': return [node('blockquote', '', tokens.flatMap(block))];
    case 'list': return [node(token.ordered ? 'ol' : 'ul', String(token.start ?? ''), token.items.flatMap(block))];
    case 'list_item': return [node('li', '', tokens.flatMap(block))];
    case 'table': return [node('table', '', [row(token.header, 'th'), ...token.rows.map((cells) => row(cells, 'td'))])];
    case 'html': return [node('p', '', [token.text.trim()])];
    // Also the text of an item of a tight list: in our trees it stands in a paragraph.
    default: return [node('p', '', tokens.flatMap(inline))];
  }
}

function row(cells, type) {
  return node('tr', '', cells.map(({ align, tokens }) => node(type, align ?? '', tokens.flatMap(inline))));
}

function inline(token) {
  switch (token.type) {
    case 'br': return [node('br', '', [])];
    case 'codespan': return [node('code', '', [token.text])];
    case 'strong': case 'em': case 'del': return [node(token.type, '', token.tokens.flatMap(inline))];
    case 'link': return [node('a', token.href, token.tokens.flatMap(inline))];
    case 'image': return [node('a', token.href, [token.text])];
    case 'html': return [token.raw];
    default: return [decode(token.text)];
  }
}

const { marked } = require('marked');
const record = {
  marked: require('marked/package.json').version,
  outlines: GFM_TEXTS.map((text) => [text, outline(node('root', '', marked.lexer(text).flatMap(block)))]),
};
writeFileSync(new URL('fixtures/gfm.json', import.meta.url), `${JSON.stringify(record, null, 1)}\n`);
