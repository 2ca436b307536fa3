/**
 * The parts of the chat that have files of their own: the words of a language, and what can wait
 * until the chat is there.
 */

/**
 * @param {string} name
 * @returns {Promise<any>} the module; undefined where it did not come: a chat without that part beats none
 */
export async function fetchPart(name) {
  const address = `./${name}.${PARTS_VERSION}.mjs`;
  try {
    return await import(address);
  } catch (error) {
    console.warn(`Chatbubble goes on without ${name}:`, error);
  }
}
