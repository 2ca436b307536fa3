/**
 * The tabs of one visitor: they hear each other, and one of them leads. The browser hands the
 * lead on when a tab closes, crashes or gives it up; one that is hung is robbed of it.
 */

/**
 * What of the browser is needed; tests have their own.
 * @typedef {object} Platform
 * @property {(name: string) => Pick<BroadcastChannel, 'postMessage' | 'onmessage' | 'close'>} open may throw
 * @property {Pick<LockManager, 'request'> | undefined} locks
 */

/** @typedef {ReturnType<typeof createTabs>} Tabs */

/**
 * Without locks or a channel each tab leads itself, and hears nobody.
 *
 * @param {object} parts
 * @param {string} parts.name that of this conversation, the same in all tabs
 * @param {Platform} parts.platform
 * @param {(message: any) => void} parts.hear
 * @param {() => void} parts.lead this tab leads from now on
 * @param {() => void} parts.yield it does so no longer, nor does what it has under way go on
 */
export function createTabs({ name, platform, hear, lead, yield: stop }) {
  /** @type {ReturnType<Platform['open']> | null} */
  let channel = null;
  /** Ends the candidacy, or the lead, of this tab. @type {AbortController | null} */
  let term = null;
  let isLeading = false;

  function takeOver() {
    isLeading = true;
    lead();
  }

  function giveUp() {
    term?.abort();
    if (!isLeading) return;
    isLeading = false;
    stop();
  }

  /** @param {boolean} [byForce] */
  async function compete(byForce) {
    const { signal } = (term = new AbortController());
    /** Leads as long as the browser lets it. */
    const hold = () => {
      if (signal.aborted) return;
      takeOver();
      return new Promise((resolve) => signal.addEventListener('abort', resolve));
    };
    try {
      await platform.locks?.request(name, byForce ? { steal: true } : { signal }, hold);
    } catch {
      // Robbed, if it led. Else such a page may have no locks.
      if (signal.aborted) return;
      if (!isLeading) return takeOver();
      giveUp();
      void compete();
    }
  }

  return {
    get isLeading() {
      return isLeading;
    },

    /** @param {any} message for all other tabs */
    post(message) {
      channel?.postMessage(message);
    },

    join() {
      if (term && !term.signal.aborted) return;
      try {
        channel = platform.locks ? platform.open(name) : null;
      } catch {
        channel = null;
      }
      if (!channel) {
        term = new AbortController();
        return takeOver();
      }
      channel.onmessage = ({ data }) => hear(data);
      void compete();
    },

    /** Lets others lead and hears no more, until it joins again. */
    leave() {
      giveUp();
      channel?.close();
      channel = null;
    },

    /** Takes the lead from a tab that does not move. */
    seize() {
      if (isLeading || !channel) return;
      giveUp();
      void compete(true);
    },
  };
}
