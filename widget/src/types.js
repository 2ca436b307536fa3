/**
 * The words of the widget, as types. Nothing here exists at run time.
 *
 * Times and durations are whole milliseconds; points in time count from the Unix epoch, in UTC.
 * Lengths and positions of text count UTF-16 code units, as `string.length` does.
 */

/** @typedef {'visitor' | 'assistant' | 'operator' | 'system'} Author */

/**
 * Where a message stands. A visitor's message is `queued`, then `sending`, then `done`: when
 * asking fails it is the answer that fails. An answer is `sending` until its first text.
 * @typedef {'queued' | 'sending' | 'streaming' | 'done' | 'aborted' | 'failed'} MessageState
 */

/** @typedef {'stop' | 'length' | 'aborted' | 'content_filter' | 'error' | 'interrupted'} FinishReason */

/**
 * Why something failed. `code` is the server's or one of `errors.js`; `message` is safe to show,
 * in English, and may be empty: `errorText` of `strings.js` gives the visitor's language.
 * @typedef {object} ErrorView
 * @property {string} code
 * @property {string} message
 * @property {boolean} retryable whether asking again may help
 */

/**
 * One bubble of the transcript.
 * @typedef {object} MessageView
 * @property {string} id stable for the life of the page, and the same after a reload: the key of its node
 * @property {Author} author
 * @property {string} text all of it that has arrived
 * @property {number} revision while it stays the same, `text` only grows at its end; a new number
 *   means that the text began anew and what was shown is to be dropped
 * @property {MessageState} state
 * @property {ErrorView | null} error set when `state` is `failed`
 * @property {FinishReason | null} finishReason set when the server said why the answer ended
 * @property {Readonly<Record<string, any>>} [more] what events of other types told, by their types
 * @property {string | null} messageId the server's name for it, once known
 * @property {string | null} requestId the question it is or answers
 * @property {number} createdAt
 */

/**
 * The answer that is under way. At most one at a time.
 * @typedef {object} Turn
 * @property {string} requestId
 * @property {string | null} streamId null until the server named it
 * @property {string} cursor id of the last event that was applied; empty: read from the start
 * @property {boolean} isTorn an event did not fit what we hold, so the stream must be read from the start
 * @property {boolean} isStopped the visitor pressed Stop: its text no longer grows on screen
 */

/**
 * `connecting`: a question was sent, nothing came back yet. `streaming`: connected.
 * `reconnecting`: cut, the next attempt is under way or waited for. `lost`: given up until
 * `resumeNow`.
 * @typedef {'idle' | 'connecting' | 'streaming' | 'reconnecting' | 'lost'} Connection
 */

/**
 * Why the next attempt waits, and until when: without an end it waits to be woken.
 * @typedef {{code: string, until: number}} Wait
 */

/**
 * Everything the views show. Replaced on each change, never mutated; what did not change keeps
 * its identity. Messages may leave the list: an erased conversation, a failed turn that was asked again.
 * @typedef {object} State
 * @property {readonly MessageView[]} messages in reading order
 * @property {Connection} connection
 * @property {Wait | null} wait set only while `reconnecting`, and when `lost` because the session is over
 * @property {number} queued questions that wait for the running answer to end
 * @property {Turn | null} turn
 * @property {string | null} conversationId
 */

/**
 * `GET /conversation`, as it came.
 * @typedef {object} Snapshot
 * @property {string | null} conversationId
 * @property {readonly SnapshotMessage[]} messages
 * @property {ActiveStream | null} activeStream
 */

/**
 * @typedef {object} SnapshotMessage
 * @property {string} messageId
 * @property {Author} author
 * @property {string} content
 * @property {FinishReason | null} [finishReason]
 * @property {string | null} [errorCode]
 * @property {string | null} [requestId]
 * @property {number} createdAt
 * @property {readonly object[] | null} [sources]
 * @property {readonly string[] | null} [suggestions]
 * @property {{rating: 'up' | 'down', comment: string | null} | null} [feedback]
 */

/** @typedef {{streamId: string, lastEventId: string, messageId: string, requestId: string}} ActiveStream */

/**
 * What can happen to a conversation. `ask` queues a question; `begin` starts following its answer;
 * `requeue` puts it back because another answer is running; `event` is one event of its stream;
 * `stop` is the visitor's wish; `fail` ends the running turn, as stopped if it was stopped;
 * `clear` forgets everything.
 * The snapshot's `before` is the state when it was asked for.
 * @typedef {{type: 'ask', requestId: string, text: string, at: number, replaces?: string | undefined}
 *   | {type: 'begin', requestId: string, at: number, streamId?: string | null, cursor?: string}
 *   | {type: 'requeue'}
 *   | {type: 'event', event: StreamEvent}
 *   | {type: 'stop'}
 *   | {type: 'fail', error: Partial<ErrorView>}
 *   | {type: 'snapshot', apply: typeof import('./snapshot.js').applySnapshot, snapshot: Snapshot, before: State}
 *   | {type: 'connection', connection: Connection, wait?: Wait | undefined}
 *   | {type: 'clear'}} Action
 */

/**
 * One event of an event stream. `lastEventId` is the cursor after it.
 * @typedef {{type: string, data: string, lastEventId: string}} StreamEvent
 */

/**
 * @typedef {object} DecoderOptions
 * @property {(event: StreamEvent) => void} onEvent
 * @property {(delayMs: number) => void} [onRetry]
 * @property {number} [maxLength] longest line and longest event, in UTF-16 units; 8 Mi by default
 */

/**
 * @typedef {object} Decoder
 * @property {(bytes: Uint8Array) => void} push throws a ChatError `FRAME_TOO_LARGE`; the decoder is then spent
 * @property {string} lastEventId the cursor to reconnect with
 */

/**
 * @typedef {object} TypewriterOptions
 * @property {(text: string) => void} write
 * @property {() => void} [onIdle] called once, after `finish`, when everything was written
 * @property {() => number} now
 * @property {Schedule} schedule
 * @property {() => boolean} isInstant whether to write at once: reduced motion, a hidden tab
 * @property {Clusters} [clusters] where graphemes begin and end
 */

/**
 * @typedef {object} Typewriter
 * @property {(text: string) => void} push
 * @property {() => void} finish no more text comes: write the rest within 400 ms, then `onIdle`
 * @property {() => void} flush write everything now
 * @property {() => void} clear forget what was not written yet
 * @property {number} pending length of the text not written yet
 */

/**
 * The grapheme cluster of `text` that holds position `at`: its start and its end.
 * @typedef {(text: string, at: number) => readonly [number, number]} Clusters
 */

/**
 * Calls `run` once, `ms` from now, unless the returned function is called before.
 * @typedef {(run: () => void, ms: number) => () => void} Schedule
 */

/**
 * @typedef {object} Backoff
 * @property {() => number} next how long to wait before the next attempt
 * @property {() => void} reset the connection is healthy again
 * @property {(ms: number) => void} setRetry the delay that the server asked for
 */

/**
 * @template Item, Result
 * @typedef {object} Queue
 * @property {(item: Item) => Promise<Result | undefined>} add resolves with what `run` gave, or with
 *   undefined when the item was cleared; rejects with what `run` threw
 * @property {number} pending items that wait
 * @property {() => void} clear drops the waiting items
 */

/**
 * @template Value
 * @typedef {object} Store
 * @property {() => Value} get
 * @property {(next: Value) => void} set tells the listeners, unless it is the same value
 * @property {(listener: (value: Value) => void) => () => void} subscribe returns its undo
 */

/**
 * @typedef {object} Options
 * @property {string} endpoint address of the server's routes; by default derived from the script's own
 * @property {string} locale language tag; by default that of the page
 * @property {string} title
 * @property {string} greeting
 * @property {string} accent `#rgb` or `#rrggbb`
 * @property {string} label what the launcher is called; by default Chat, then the title once the chat was fetched
 * @property {'bottom-right' | 'bottom-left' | 'top-right' | 'top-left'} position bottom-right by default, or
 *   bottom-left where the page is written from right to left
 * @property {number | string} offsetX from the window's side, in pixels; 20 by default
 * @property {number | string} offsetY from its top or bottom
 * @property {number | string} size of the launcher; 56 by default
 * @property {number | string} width of the panel; 384 by default
 * @property {number | string} height of the panel; 640 by default
 * @property {string} icon the launcher's: `path('M12 2 2 22h20z')`, on a box of 24 by 24
 * @property {string} avatar the assistant's, in the same form
 * @property {'auto' | 'light' | 'dark'} theme auto by default
 * @property {'on' | 'off'} sound when an answer ends while the panel is closed; off by default
 * @property {Readonly<Record<string, string>>} strings texts to be said in place of ours, by their keys in
 *   `strings/en.js`
 * @property {string} container selector of the element that the chat fills, instead of floating
 * @property {'required'} consent nothing is fetched or stored before the verb `consent`
 * @property {'off'} page the page's address and title are not sent
 */

/**
 * What the chat says, by key.
 * @typedef {Readonly<Record<keyof typeof import('./strings/en.js').chat, string>>} Strings
 */

/**
 * What is shown later: see `strings/en.js`.
 * @typedef {Readonly<Record<keyof typeof import('./strings/en.js').more, string>>} MoreStrings
 */

/** @typedef {Strings & Record<string, string>} Words the strings of a chat, in its language */

/** @typedef {{url: string, title?: string}} Page */

/**
 * @typedef {object} ClientOptions
 * @property {string} endpoint address of the server's routes, without a slash at the end
 * @property {string} sessionId the visitor's secret: 16 to 128 characters of A-Z a-z 0-9 _ -
 * @property {Store<State>} store
 * @property {typeof globalThis.fetch} [fetch] by default the browser's own
 * @property {() => number} now wall clock, so that it counts the time a laptop slept
 * @property {() => number} random at least 0, below 1
 * @property {Schedule} schedule
 * @property {number} [restMs] how long text is collected before it changes the state again; default 0
 * @property {() => string} newId a fresh id for each question
 * @property {string | undefined} [locale] language tag sent with each question
 * @property {(name: string) => Promise<any>} fetchPart as of parts.js
 * @property {() => Page | undefined} [page] where the visitor is, sent with each question
 */

/**
 * Owns the connection. No promise but that of `erase` rejects: failures are in the state.
 * @typedef {object} Client
 * @property {(text: string, replaces?: string, requestId?: string) => Promise<void>} ask resolves when the question
 *   was settled: answered, failed, stopped or dropped from the queue. Blank text is ignored. `replaces`
 *   is the `requestId` of an earlier question: it goes, with all that followed it. A question that was
 *   given its `requestId` before is the same question, however often it is asked
 * @property {() => void} stop ends the running answer; shown at once
 * @property {(id: string) => Promise<void>} retry asks the question of a failed answer again; on the answer that
 *   is under way it is `resumeNow`. Takes MessageView.id of the answer
 * @property {() => Promise<void>} restore reads the conversation and goes on with a running answer;
 *   resolves once the conversation is in the state, or was refused
 * @property {() => void} resumeNow tries again at once: the browser is online, the tab visible, a button pressed
 * @property {() => Promise<void>} erase deletes the conversation on the server, then here. Rejects with a
 *   ChatError when the server did not confirm; nothing is changed then
 * @property {() => void} destroy ends every request and timer; the state no longer changes
 */

export {};
