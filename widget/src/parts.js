/**
 * The parts of the chat that have files of their own: the words of a language, and what can wait
 * until the chat is there.
 */

/** How often one did not come. */
let failures = 0;

/**
 * @param {string} name
 * @returns {Promise<any>} the module; undefined where it did not come: a chat without that part beats none
 */
export async function fetchPart(name) {
  // A browser may remember for good that a module failed to load, under its whole address.
  const address = `./${name}.${PARTS_VERSION}.mjs#${failures}`;
  try {
    return await import(address);
  } catch (error) {
    failures += 1;
    console.warn(`Chatbubble goes on without ${name}:`, error);
  }
}
