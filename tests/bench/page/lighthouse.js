/**
 * One Lighthouse run on a page, for its performance alone: `node lighthouse.js URL`, with the
 * browser in CHROME_PATH. Prints the score (0 to 100) and what goes into it as JSON.
 */

import { launch } from '../../../widget/node_modules/chrome-launcher/dist/index.js';
import lighthouse from '../../../widget/node_modules/lighthouse/core/index.js';

const chromeFlags = ['--headless=new', '--no-sandbox', '--disable-gpu'];
const browser = await launch({ chromeFlags, logLevel: 'error' });
try {
  const run = await lighthouse(process.argv[2], {
    port: browser.port,
    onlyCategories: ['performance'],
    output: 'json',
    logLevel: 'error',
  });
  const { audits, categories, lighthouseVersion, runtimeError } = run.lhr;
  if (runtimeError) throw new Error(runtimeError.message);
  const valueOf = (name) => audits[name].numericValue;
  console.log(JSON.stringify({
    version: lighthouseVersion,
    score: categories.performance.score * 100,
    blocking: valueOf('total-blocking-time'),
    shift: valueOf('cumulative-layout-shift'),
    largestPaint: valueOf('largest-contentful-paint'),
  }));
} finally {
  browser.kill();
}
