/**
 * The page's first script: sees what must not happen, from before anything of the widget runs.
 */

window.watched = { violations: [], scripts: [], leaving: 0 };

document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sourceFile }) => {
  // The browser's own wish for an icon of the page is none of ours.
  if (blockedURI.endsWith('/favicon.ico')) return;
  window.watched.violations.push(`${effectiveDirective} ${blockedURI} ${sourceFile}`);
});

// What every hostile answer calls if it gets to run.
for (const name of ['alert', 'confirm', 'prompt', 'print', 'msgbox', 'open']) {
  window[name] = (...details) => void window.watched.scripts.push(`${name} ${details}`);
}

window.addEventListener('error', ({ message }) => window.watched.scripts.push(`error: ${message}`));
window.addEventListener('unhandledrejection', ({ reason }) => window.watched.scripts.push(`rejected: ${reason}`));
