/**
 * @param {import('./types.js').ClientOptions} options
 * @returns {import('./types.js').Client}
 */
export function createClient({ endpoint }) {
  throw new Error(`not connected to ${endpoint} yet`);
}
