/**
 * Has the server read who a visitor is, and asks them what becomes of what they wrote before. Fetched where a page
 * tells that, and nowhere else.
 */

import { schedule } from './dom.js';
import { insist } from './patience.js';
import { createTransport } from './transport.js';

export { offerEarlier } from './offer.js';

/**
 * Asks until the server has an opinion, or nobody wants it any more. Rejects with a ChatError.
 *
 * @param {string} endpoint
 * @param {string} token made by the site's own server
 * @param {() => boolean} isWanted
 * @returns {Promise<string>} the session id of the person whom the token names
 */
export async function identify(endpoint, token, isWanted) {
  /** @type {typeof fetch} */
  const send = (...request) => fetch(...request);
  const transport = createTransport({ endpoint, sessionId: '', fetch: send, now: Date.now, schedule });
  const isGood = (/** @type {import('./response.js').Reply} */ { body }) => /^signed_/.test(body?.sessionId);
  const ask = () => transport.exchange('POST', '/identify', isGood, { token });
  return (await insist(ask, isWanted)).sessionId;
}
