/**
 * Has the server read who the visitor is. Of several tokens the last one counts; while it is being read, nothing is to
 * be asked.
 *
 * @param {object} parts
 * @param {(token: string, isWanted: () => boolean) => Promise<string>} parts.identify rejects with a ChatError
 * @param {(sessionId: string) => void} parts.become
 * @param {() => void} parts.onSettled whoever the visitor is now, what waits may be asked
 */
export function createNaming({ identify, become, onSettled }) {
  /** What is being read. @type {string | null} */
  let token = null;
  /** @type {Promise<void>} */
  let reading;

  /** @param {string} given */
  async function read(given) {
    const isWanted = () => token === given;
    try {
      const sessionId = await identify(given, isWanted);
      if (isWanted()) become(sessionId);
    } finally {
      // It was refused: the visitor stays who they were.
      if (isWanted()) {
        token = null;
        onSettled();
      }
    }
  }

  return {
    get isPending() {
      return token !== null;
    },

    /** Whatever the server says of it, it is too late. */
    cancel() {
      token = null;
    },

    /**
     * @param {string} given
     * @returns {Promise<void>} rejects with a ChatError
     */
    learn(given) {
      // A tab that waits may say it again.
      if (given !== token) reading = read((token = given));
      return reading;
    },
  };
}
