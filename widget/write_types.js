// Writes the types that integrators get from those that the sources state in their comments:
//     node widget/write_types.js [folder]
// By default into widget/types, from where the build takes them. A test finds them out of date.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const FIRST = '// Made by widget/write_types.js from the comments of the sources.\n';
/** Each file: the module that it tells of, and the modules whose types it may need. */
const FILES = { 'widget.d.mts': ['index', 'public', 'types'], 'react.d.mts': ['react'] };
/** The script tag's global, for pages without a module. */
const GLOBAL = `declare global {
  interface Window {
    Chatbubble: Call;
  }
  const Chatbubble: Call;
}
`;

/** What TypeScript makes of the sources, in a folder that the caller removes. */
function declare() {
  const folder = mkdtempSync(join(tmpdir(), 'chatbubble-types-'));
  const emit = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--rootDir', join(HERE, 'src')];
  const tsc = join(HERE, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '--project', HERE, ...emit, '--outDir', folder], { stdio: 'inherit' });
  return folder;
}

/**
 * The declarations of a module, each with its comment, by name. Comments that only stood above a
 * `@typedef` come twice, and those without a declaration go.
 */
function declarationsOf(folder, module) {
  const text = readFileSync(join(folder, `${module}.d.ts`), 'utf8');
  const blocks = text.split(/(?=^\/\*\*|^export )/m);
  const found = new Map();
  blocks.forEach((block, at) => {
    const name = /^export (?:declare )?(?:type|function) (\w+)/.exec(block)?.[1];
    const comment = /^\/\*\*/.test(blocks[at - 1] ?? '') && !blocks[at - 1].includes('@typedef') ? blocks[at - 1] : '';
    if (name) found.set(name, comment + block);
  });
  return found;
}

/** Those of `names`, and all that they mention. */
function closureOf(names, declarations, kept = new Set()) {
  for (const name of names) {
    if (kept.has(name)) continue;
    kept.add(name);
    const mentioned = declarations.get(name).match(/\b[A-Z]\w+/g) ?? [];
    closureOf(mentioned.filter((word) => declarations.has(word)), declarations, kept);
  }
  return kept;
}

function write(folder, target) {
  mkdirSync(target, { recursive: true });
  for (const [file, modules] of Object.entries(FILES)) {
    const declarations = new Map(modules.flatMap((module) => [...declarationsOf(folder, module)]));
    const own = [...declarationsOf(folder, modules[0]).keys()];
    const roots = modules.includes('public') ? [...own, 'Call', 'ChatEvents'] : own;
    const kept = closureOf(roots, declarations);
    const body = [...declarations].filter(([name]) => kept.has(name)).map(([, text]) => text.trim());
    const end = modules.includes('public') ? `\n${GLOBAL}` : '';
    // What is in the same file is called by its name alone.
    const text = body.join('\n').replace(/import\(["']\.\/(\w+)\.js["']\)\./g, (whole, module) =>
      modules.includes(module) ? '' : 'import("./widget.mjs").');
    writeFileSync(join(target, file), `${FIRST}\n${text}\n${end}`);
  }
}

const folder = declare();
try {
  write(folder, process.argv[2] ?? join(HERE, 'types'));
} finally {
  rmSync(folder, { recursive: true });
}
