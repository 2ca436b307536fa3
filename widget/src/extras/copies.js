/**
 * A conversation as a file that the visitor keeps.
 */

/** @typedef {Pick<import('../types.js').State, 'messages' | 'conversationId'>} Conversation */

/**
 * @typedef {object} About
 * @property {string} title
 * @property {string} url of the page
 * @property {string} locale
 * @property {Date} now
 * @property {import('../types.js').Words} words
 */

/**
 * @param {Conversation} conversation
 * @param {About} about
 * @returns {string} to be read by people
 */
export function conversationAsText({ messages }, { title, url, locale, now, words }) {
  const moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  const parts = messages.map(({ author, text, createdAt, more }) => {
    const lines = [`${words[author]} (${moment.format(createdAt)}):`, text];
    for (const { n, title: name, url: address } of sourcesOf(more)) lines.push(`[${n}] ${name ?? ''} ${address ?? ''}`);
    return lines.join('\n');
  });
  return `${[`${title}\n${url}\n${moment.format(now)}`, ...parts].join('\n\n')}\n`;
}

/**
 * @param {Conversation} conversation
 * @param {About} about
 * @returns {string} to be read by programs: the names are those of `GET /conversation`
 */
export function conversationAsJson({ messages, conversationId }, { title, url, now }) {
  const told = messages.map(({ messageId, author, text, finishReason, createdAt, more }) => {
    const sources = sourcesOf(more);
    return { messageId, author, content: text, finishReason, createdAt, ...(sources.length > 0 && { sources }) };
  });
  return `${JSON.stringify({ title, url, savedAt: now.getTime(), conversationId, messages: told }, null, 2)}\n`;
}

/**
 * @param {string} title
 * @param {Date} now
 * @param {string} ending
 * @returns {string} a name that any file system takes
 */
export function fileName(title, now, ending) {
  const words = title.replace(/[^\p{L}\p{M}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '').slice(0, 40) || 'chat';
  return `${words}-${now.toISOString().slice(0, 10)}.${ending}`;
}

/**
 * @param {import('../types.js').MessageView['more']} more
 * @returns {readonly Record<string, unknown>[]}
 */
function sourcesOf(more) {
  const sources = more?.sources?.sources;
  return Array.isArray(sources) ? sources : [];
}
