/**
 * One tab's state, told to the others: what changed, and no more than that, at every piece of an
 * answer. A piece says where it starts, as on the wire, so that nothing is lost or doubled between
 * tabs either.
 */

/** @typedef {import('../types.js').State} State */
/** @typedef {import('../types.js').MessageView} MessageView */

/**
 * What a message became: all of its fields, or those that changed. `at` is where `text` begins in
 * the text that is known already; null: it is the whole text.
 * @typedef {Partial<MessageView> & Pick<MessageView, 'id' | 'text'> & {at: number | null}} Told
 */

/**
 * @typedef {object} Change
 * @property {string[] | null} ids the messages in order, where that changed
 * @property {Told[]} told
 * @property {Omit<State, 'messages'>} rest
 */

/**
 * What leads from one state to the next. From a state without messages, it is the whole state.
 * @param {State} before
 * @param {State} after
 * @returns {Change}
 */
export function changeOf(before, { messages, ...rest }) {
  const old = before.messages;
  const isSame = messages.length === old.length && messages.every(({ id }, at) => id === old[at]?.id);
  const known = new Map(old.map((message) => [message.id, message]));
  const told = messages.filter((message) => known.get(message.id) !== message);
  return {
    ids: isSame ? null : messages.map(({ id }) => id),
    told: told.map((message) => tell(known.get(message.id), message)),
    rest,
  };
}

/**
 * @param {MessageView | undefined} before
 * @param {MessageView} after
 * @returns {Told}
 */
function tell(before, after) {
  if (before?.revision !== after.revision || !after.text.startsWith(before.text)) return { ...after, at: null };
  const was = /** @type {Record<string, unknown>} */ ({ ...before });
  const fields = Object.entries(after).filter(([key, value]) => value !== was[key]);
  const at = before.text.length;
  return { ...Object.fromEntries(fields), id: after.id, text: after.text.slice(at), at };
}

/**
 * The state after a change that another tab told. Null: something before it was missed, and the
 * whole state is to be asked for.
 * @param {State} state
 * @param {Change} change
 * @returns {State | null}
 */
export function applyChange(state, { ids, told, rest }) {
  const known = new Map(state.messages.map((message) => [message.id, message]));
  for (const message of told) {
    const next = adopt(known.get(message.id), message);
    if (!next) return null;
    known.set(message.id, next);
  }
  const messages = (ids ?? [...known.keys()]).map((id) => known.get(id));
  return messages.every((message) => message !== undefined) ? { ...rest, messages } : null;
}

/**
 * @param {MessageView | undefined} mine
 * @param {Told} told
 * @returns {MessageView | null}
 */
function adopt(mine, { at, ...fields }) {
  if (at === null) return settle(mine, /** @type {MessageView} */ (fields));
  const missed = mine ? at - mine.text.length : 1;
  return mine && missed <= 0 ? { ...mine, ...fields, text: mine.text + fields.text.slice(-missed) } : null;
}

/**
 * A message told as a whole. Within one revision a text only grows: who knows more of it, because
 * the leading tab went before it could tell all others the same, keeps that.
 * @param {MessageView | undefined} mine
 * @param {MessageView} whole
 */
function settle(mine, whole) {
  if (mine?.revision !== whole.revision) return whole;
  if (mine.text.startsWith(whole.text)) return { ...whole, text: mine.text };
  // Another text under the same number: what is on screen has to be written anew.
  return whole.text.startsWith(mine.text) ? whole : { ...whole, revision: whole.revision + 1000 };
}
