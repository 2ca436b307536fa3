/**
 * What a page's own code sees of its bubble, as types. Nothing here exists at run time. The files in
 * `widget/types`, which integrators get, are made from it.
 */

/**
 * One message of the conversation. A message is replaced when it changes, never altered.
 *
 * @typedef {object} Message
 * @property {string} id the same after a reload
 * @property {'visitor' | 'assistant' | 'operator' | 'system'} author
 * @property {string} text all of it that has arrived; an answer is Markdown
 * @property {'queued' | 'sending' | 'streaming' | 'done' | 'aborted' | 'failed'} state
 * @property {{code: string, message: string, retryable: boolean} | null} error set when `state` is `failed`
 * @property {string | null} finishReason why an answer ended, as the server told it: `stop`, `length`, ...
 * @property {string | null} messageId the server's name for it, once known
 * @property {number} createdAt milliseconds since the Unix epoch
 */

/**
 * What the bubble shows at one moment. It is replaced when anything changes, never altered: two that
 * are the same object are equal.
 *
 * @typedef {object} ChatState
 * @property {boolean} isReady whether the chat was fetched; until then the rest says nothing
 * @property {boolean} isOpen whether the panel is open
 * @property {boolean} isAnswering whether an answer is under way that Stop would end
 * @property {number} unread answers that ended while the panel was closed, since it was last open
 * @property {'idle' | 'connecting' | 'streaming' | 'reconnecting' | 'lost'} connection
 * @property {readonly Message[]} messages in reading order
 */

/**
 * The bubble's state for a framework: made for React's `useSyncExternalStore`, and as good for others.
 *
 * @typedef {object} ChatStore
 * @property {() => ChatState} get the same object until something changes
 * @property {(listener: (state: ChatState) => void) => () => void} subscribe returns its undo
 */

/**
 * The events of a bubble, each with its detail.
 *
 * @typedef {object} ChatEvents
 * @property {{}} ready the chat was fetched. Who listens later is told too
 * @property {{}} open the panel was opened, by whomever
 * @property {{}} close
 * @property {{id: string, text: string}} send a question was sent from this page
 * @property {{id: string, text: string, index: number}} token a piece of the running answer, and where in the answer
 *   it begins. 0 more than once: the answer began anew, or the page was loaded while it ran
 * @property {{id: string, text: string, question: string, finishReason: string}} answer the running answer is there.
 *   `finishReason` is `aborted` when it was stopped
 * @property {{id: string, question: string, code: string, message: string, retryable: boolean}} error the running
 *   answer failed. Without an `id`: it is not known any more who the visitor is (`SESSION_EXPIRED`), or what should
 *   tell it was refused (`IDENTITY_REFUSED`)
 * @property {{connection: ChatState['connection']}} reconnect the line was cut (`reconnecting`), given up until the
 *   visitor acts (`lost`), or is whole again (anything else)
 * @property {{messageId: string, rating: 'up' | 'down' | null, comment: string}} feedback the visitor rated an answer
 * @property {{count: number}} unread the number of answers that wait to be read has changed
 * @property {ChatState} state anything of the state has changed. Who listens is told how it stands first
 */

/**
 * What a page can do with its bubble. Everything may be used at once: what needs the chat waits until it
 * was fetched.
 *
 * @typedef {object} Handle
 * @property {() => void} open
 * @property {() => void} close
 * @property {() => void} toggle
 * @property {(text: string) => void} ask opens the panel and asks
 * @property {(text: string) => void} send asks and leaves the panel as it is
 * @property {() => void} stop ends the running answer
 * @property {(changes: Changes) => void} update changes options; null takes one back to what it is by default
 * @property {(who: Identity) => void} identify says who the visitor is: theirs is one conversation, on all devices.
 *   Fetches nothing: it waits until the chat was fetched
 * @property {() => void} reset begins a new conversation, as a visitor whom the server does not know yet, in all
 *   pages of this browser: what signs a person out. The server keeps the old one
 * @property {<Name extends keyof ChatEvents>(name: Name, listener: (detail: ChatEvents[Name]) => void) => void} on
 * @property {<Name extends keyof ChatEvents>(name: Name, listener: (detail: ChatEvents[Name]) => void) => void} off
 * @property {ChatStore} store
 * @property {() => void} destroy takes everything off the page. The conversation stays: on the server, and under its
 *   session id in this browser
 */

/**
 * Who the visitor is, in the word of the site's own server.
 *
 * @typedef {object} Identity
 * @property {string} token a JSON Web Token that names them
 */

/**
 * The options that can be changed later.
 *
 * @typedef {object} Changes
 * @property {string | null} [title]
 * @property {string | null} [greeting]
 * @property {string | null} [accent] `#rgb` or `#rrggbb`
 * @property {'auto' | 'light' | 'dark' | null} [theme]
 * @property {'bottom-right' | 'bottom-left' | 'top-right' | 'top-left' | null} [position]
 * @property {Readonly<Record<string, string>>} [strings] our words by their keys, to be said in yours
 */

/**
 * The script tag's one global function.
 *
 * @typedef {((verb: 'open' | 'close' | 'toggle' | 'stop' | 'reset' | 'destroy') => void)
 *   & ((verb: 'ask' | 'send', text: string) => void)
 *   & ((verb: 'identify', who: Identity) => void)
 *   & ((verb: 'update', changes: Changes) => void)
 *   & (<Name extends keyof ChatEvents>(
 *     verb: 'on' | 'off', name: Name, listener: (detail: ChatEvents[Name]) => void) => void)} Call
 */

export {};
