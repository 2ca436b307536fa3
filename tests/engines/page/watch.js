/**
 * The page's first script: sees what must not happen, from before anything of the widget runs.
 */

window.watched = { violations: [], scripts: [] };

// Who this visitor is: one whose conversation is there already, where the page's address says so, else a new one. The
// page that loads itself again keeps its visitor.
{
  const options = new URLSearchParams(location.search);
  if (!sessionStorage.getItem('conformance')) localStorage.clear();
  if (options.has('visitor')) localStorage.setItem(`chatbubble:session:${options.get('api')}`, options.get('visitor'));
}

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
