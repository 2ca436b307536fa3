// Writes the words of each language as bare lists, in the order of the English ones: the chat knows the keys.
// Run by assets.py, in the folder of the staged sources: node list_words.js src/strings fr ja ...

import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , folder, ...locales] = process.argv;

for (const locale of locales) {
  const words = await import(pathToFileURL(resolve(folder, `${locale}.js`)).href);
  for (const [part, file] of [['chat', `${locale}.list.js`], ['more', `${locale}.more.list.js`]]) {
    writeFileSync(join(folder, file), `export default ${JSON.stringify(Object.values(words[part]))};\n`);
  }
}
