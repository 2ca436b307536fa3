/**
 * Where a link may lead, and what its reader must be told about that.
 */

const ALLOWED = /^(?:https?|mailto|tel):$/;
/** A host that is longer is shown: its end, which says whose it is, would not be noticed in a tooltip. */
const LONG_HOST = 40;
// With all that browsers read as dots, and an end that is no number.
const HOST_LIKE = /(?:[\p{L}\p{N}\p{M}-]+[.\u3002\uff0e\uff61])+\p{L}[\p{L}\p{N}\p{M}-]+/u;

/**
 * @typedef {object} Link
 * @property {string} href the checked address
 * @property {string} host whose it is; empty for telephone numbers
 */

/**
 * Check an address that a model wrote.
 *
 * @param {string} address
 * @returns {Link | null} null where it leads, or may lead, anywhere but to a web page, a mailbox or a
 *   telephone. Relative addresses are among those: nobody knows what the model took for their start
 */
export function readLink(address) {
  // Controls, invisible characters and blanks are how a scheme is kept from being seen.
  const url = parse(address.replace(/[\s\p{C}]/gu, ''));
  // What stands before an @ passes for a host.
  if (!url || !ALLOWED.test(url.protocol) || url.username + url.password) return null;
  return { href: url.href, host: (url.hostname || (url.pathname.split('@')[1] ?? '')).toLowerCase() };
}

/** @param {string} address */
function parse(address) {
  try {
    return new URL(address);
  } catch {
    return null;
  }
}

/**
 * The host, where a link's text does not tell it and should: it names another one, or looks like
 * it; the host's name is international, so its letters may deceive; or it is very long.
 *
 * @param {string} text of the link
 * @param {string} host
 * @returns {string} empty where nothing needs saying
 */
export function hostToShow(text, host) {
  const [named = ''] = HOST_LIKE.exec(text.toLowerCase()) ?? [];
  if (bare(named) === bare(host)) return '';
  return named || host.includes('xn--') || host.length > LONG_HOST ? host : '';
}

/** @param {string} host */
function bare(host) {
  return host.replace(/^www\./, '');
}
