/**
 * What the other suites look out for, done on purpose: proof that they would see it.
 */

import { finish, group, ok, until } from './report.js';

const options = new URLSearchParams(location.search);
const isStrict = !options.has('lax');

await group('a script that runs is seen', async () => {
  const image = document.createElement('img');
  document.body.append(image);
  if (isStrict) {
    try {
      document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>');
    } catch {
      // As it should be.
    }
    await until(() => window.watched.violations.length > 0, 'the policy is broken');
  } else {
    document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>');
    await until(() => window.watched.scripts.includes('alert 1'), 'the script runs');
  }
});
await group('a request elsewhere is seen', async () => {
  const image = document.createElement('img');
  const isOver = new Promise((resolve) => image.addEventListener('error', resolve));
  image.src = `http://${options.get('sink')}/a.png`;
  await isOver;
  if (isStrict) {
    await until(() => window.watched.violations.some((each) => each.startsWith('img-src')), 'the policy is broken');
  }
});
await group('the engine has what this needs', () => {
  ok('adoptedStyleSheets' in document, 'constructed style sheets');
  ok('checkVisibility' in document.body, 'checkVisibility');
});
finish();
