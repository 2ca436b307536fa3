/**
 * Runs groups of assertions and shows what came of them, as a list for people and as JSON for whoever
 * drives the browser. The results survive a reload of the page.
 */

const KEY = 'conformance';
/** A busy machine is not a fault of the widget. */
const PATIENCE_MS = 30_000;

/** What earlier loads of this page found: `{phase, groups: [[name, outcome]], wanted}`. */
const kept = JSON.parse(sessionStorage.getItem(KEY) ?? '{"phase":0,"groups":[],"wanted":0}');
let keys = null;

/** How many times this page was loaded before. */
export const { phase } = kept;

function show(state) {
  document.getElementById('state').textContent = state;
  document.getElementById('results').replaceChildren(...kept.groups.map(([name, outcome]) => {
    const item = document.createElement('li');
    item.textContent = `${name}: ${outcome}`;
    return item;
  }));
  const report = { state, groups: Object.fromEntries(kept.groups), wanted: kept.wanted, keys };
  document.getElementById('report').textContent = JSON.stringify(report);
}

/** Runs one group. Its outcome is `ok`, or the first thing that was not as it should be. */
export async function group(name, run) {
  try {
    kept.groups.push([name, (await run()) ?? 'ok']);
  } catch (error) {
    kept.groups.push([name, `${error?.message ?? error}`]);
  }
  show('running');
}

/** The next load of this page goes on from here. */
export function reload() {
  sessionStorage.setItem(KEY, JSON.stringify({ ...kept, phase: phase + 1 }));
  location.reload();
}

export function finish() {
  sessionStorage.removeItem(KEY);
  show('finished');
}

// What fails outside of a group ends the page: nobody waits for the rest of it.
for (const kind of ['error', 'unhandledrejection']) {
  window.addEventListener(kind, ({ message, reason }) => {
    kept.groups.push(['the page itself', `${message ?? reason}`]);
    finish();
  });
}

/** Real keys, pressed by whoever drives the browser; returns when `seen` is true. */
export async function press(wanted, seen, what) {
  kept.wanted += 1;
  keys = wanted;
  show('running');
  await until(seen, what);
  keys = null;
}

/** Waits for something to be there, and returns it. */
export async function until(look, what) {
  const start = performance.now();
  for (;;) {
    const found = look();
    if (found) return found;
    if (performance.now() - start > PATIENCE_MS) throw new Error(`waited in vain: ${what}`);
    await pause(15);
  }
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function equal(actual, expected, what) {
  const [left, right] = [actual, expected].map((value) => JSON.stringify(value));
  if (left !== right) throw new Error(`${what}: expected ${right}, found ${left}`);
}

export function ok(claim, what) {
  if (!claim) throw new Error(`not so: ${what}`);
}

show('running');
