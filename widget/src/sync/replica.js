import { initialState } from '../conversation.js';
import { applyChange, changeOf } from './mirror.js';

/**
 * The state of the leading tab, in all tabs: told by that one, taken over by the others.
 *
 * @param {object} parts
 * @param {import('../types.js').Store<import('../types.js').State>} parts.store
 * @param {import('./session.js').Session} parts.session
 * @param {import('./unsent.js').Unsent} parts.unsent
 * @param {(message: object) => void} parts.post
 * @param {() => number} parts.now
 */
export function createReplica({ store, session, unsent, post, now }) {
  /** Rises with each tab that leads: what an earlier one still says is not heard. */
  let term = 0;
  /** Changes told, or heard, in this term. */
  let seq = 0;
  let told = initialState;

  /** The whole state, for tabs that know nothing yet or missed something. */
  function announce() {
    told = store.get();
    post({ type: 'state', seq, session: session.read(), change: changeOf(initialState, told) });
  }

  return {
    announce,

    get term() {
      return term;
    },

    /**
     * This tab leads from now on.
     * @param {number} past the newest term that another tab knows
     */
    begin(past) {
      // The tabs have one clock, but it may be put back.
      term = Math.max(term + 1, past + 1, now());
      seq = 0;
      announce();
    },

    /** @param {import('../types.js').State} state */
    tell(state) {
      const change = changeOf(told, state);
      told = state;
      post({ type: 'change', seq: ++seq, change });
    },

    /**
     * @param {any} message `state` or `change`, as told above
     */
    take(message) {
      const isWhole = message.type === 'state';
      if (isWhole) {
        term = message.term;
        session.learn(message.session);
      }
      const state = isWhole || message.seq === seq + 1 ? applyChange(store.get(), message.change) : null;
      if (!state) return post({ type: 'hello' });
      seq = message.seq;
      unsent.settle(state);
      store.set(unsent.shown(state));
    },
  };
}
