// The rules that no type checker knows: no HTML strings, no hidden errors, a pure core, short functions.
// Run from the top folder: `make lint`.

/** Names that turn a string into markup, style or code. Model text must never come near one. */
const SINKS = [
  'innerHTML', 'outerHTML', 'srcdoc', 'insertAdjacentHTML', 'setHTML', 'setHTMLUnsafe', 'parseHTMLUnsafe',
  'parseFromString', 'createContextualFragment', 'execCommand',
];

/** What a pure module gets injected, or does without. */
const OUTSIDE = [
  'document', 'window', 'self', 'navigator', 'location', 'fetch', 'localStorage', 'sessionStorage', 'performance',
  'setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'requestAnimationFrame', 'crypto',
];
const PURE = [
  'answer', 'backoff', 'conversation', 'graphemes', 'links', 'markdown', 'markdown/*', 'messages', 'options',
  'queue', 'response', 'snapshot', 'sse', 'store', 'strings', 'strings/*', 'sync/mirror', 'text-hygiene',
  'typewriter',
  'errors', 'public', 'types',
];

/** A function's own lines: from its first to its last, less those of the functions inside it. */
const ownLines = {
  meta: {
    schema: [{ type: 'integer' }],
    messages: { long: 'This function has {{lines}} lines of its own, at most {{max}}.' },
  },
  create(context) {
    const nested = [];
    const enter = () => nested.push(0);
    const leave = (node) => {
      const inside = nested.pop() ?? 0;
      const all = node.loc.end.line - node.loc.start.line + 1;
      if (nested.length > 0) nested[nested.length - 1] += all > 1 ? all : 0;
      const [max] = context.options;
      if (all - inside > max) context.report({ node, messageId: 'long', data: { lines: all - inside, max } });
    };
    const kinds = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'];
    return Object.fromEntries(kinds.flatMap((kind) => [[kind, enter], [`${kind}:exit`, leave]]));
  },
};

const everywhere = {
  'eqeqeq': ['error', 'always', { null: 'ignore' }],
  'no-empty': 'error',
  'no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
  'no-var': 'error',
  'prefer-const': 'error',
  'no-shadow': 'error',
  'no-throw-literal': 'error',
  'no-fallthrough': 'error',
  'no-unreachable': 'error',
  'no-use-before-define': ['error', { functions: false, variables: false }],
  'no-unsafe-finally': 'error',
  'no-control-regex': 'off',
  'object-shorthand': 'error',
  'semi': ['error', 'always'],
  'quotes': ['error', 'single', { avoidEscape: true }],
  'max-len': ['error', { code: 120, ignoreUrls: true }],
  'eol-last': 'error',
  'no-trailing-spaces': 'error',
  'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'] }],
  'house/own-lines': ['error', 40],
};

/** Shapes of code that have no place in the page's sources. */
const BANNED = [
  {
    selector: 'CallExpression[callee.property.name=/^setAttribute/][arguments.0.value=/^(style|srcdoc|on.*)$/i]',
    message: 'A strict page refuses style and event attributes: use style.setProperty and addEventListener.',
  },
  {
    selector: `Property[key.name=/^(${SINKS.join('|')})$/]`,
    message: 'Text reaches the page through text nodes alone.',
  },
  {
    selector: 'CallExpression[callee.name=/^set(Timeout|Interval)$/][arguments.0.type=/^(Template)?Literal$/]',
    message: 'A string timer is eval.',
  },
  {
    selector: 'NewExpression[callee.name=/^(Function|DOMParser|XSLTProcessor)$/]',
    message: 'Nothing is parsed into markup or code.',
  },
  { selector: 'CatchClause > BlockStatement[body.length=0]', message: 'An error that nobody sees is not handled.' },
  {
    selector: ':matches(ClassDeclaration, ClassExpression):not([superClass.name=/^(HTMLElement|Error)$/])',
    message: 'Closures, not classes: a class only where the platform asks for one.',
  },
];

const hostile = {
  'no-eval': 'error',
  'no-implied-eval': 'error',
  'no-new-func': 'error',
  'no-script-url': 'error',
  'no-console': ['error', { allow: ['warn', 'error'] }],
  'no-restricted-properties': [
    'error',
    ...SINKS.map((property) => ({ property, message: 'Text reaches the page through text nodes alone.' })),
    { object: 'document', property: 'write', message: 'Text reaches the page through text nodes alone.' },
    { object: 'document', property: 'writeln', message: 'Text reaches the page through text nodes alone.' },
  ],
  'no-restricted-syntax': ['error', ...BANNED],
};

export default [
  { ignores: ['**/node_modules/**', 'backend/**', '.venv/**', 'artefacts/**'] },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: { ecmaVersion: 2024, sourceType: 'module' },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { house: { rules: { 'own-lines': ownLines } } },
    rules: everywhere,
  },
  { files: ['widget/src/**/*.js'], rules: { ...hostile, 'max-lines': ['error', 300] } },
  {
    files: PURE.map((name) => `widget/src/${name}.js`),
    rules: {
      'no-restricted-globals': [
        'error',
        ...OUTSIDE.map((name) => ({ name, message: 'A pure module gets this injected, or does without.' })),
      ],
      'no-restricted-syntax': [
        'error',
        ...BANNED,
        {
          selector: 'MemberExpression[object.name="globalThis"]:not([property.name="Intl"])',
          message: 'A pure module gets this injected, or does without.',
        },
        {
          selector: ':matches(MemberExpression[object.name="Date"][property.name="now"],' +
            ' NewExpression[callee.name="Date"][arguments.length=0])',
          message: 'A pure module is told what time it is.',
        },
      ],
    },
  },
];
