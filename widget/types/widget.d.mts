// Made by widget/write_types.js from the comments of the sources.

/**
 * Put a bubble on the page.
 *
 * @param {Partial<Options>} [options]
 * @returns {Handle}
 */
export declare function mount(options?: Partial<Options>): Handle;
/**
 * What a page's own code sees of its bubble, as types. Nothing here exists at run time. The files in
 * `widget/types`, which integrators get, are made from it.
 */
export type Message = {
    /**
     * the same after a reload
     */
    id: string;
    author: 'visitor' | 'assistant' | 'operator' | 'system';
    /**
     * all of it that has arrived; an answer is Markdown
     */
    text: string;
    state: 'queued' | 'sending' | 'streaming' | 'done' | 'aborted' | 'failed';
    /**
     * set when `state` is `failed`
     */
    error: {
        code: string;
        message: string;
        retryable: boolean;
    } | null;
    /**
     * why an answer ended, as the server told it: `stop`, `length`, ...
     */
    finishReason: string | null;
    /**
     * the server's name for it, once known
     */
    messageId: string | null;
    /**
     * milliseconds since the Unix epoch
     */
    createdAt: number;
};
export type ChatState = {
    /**
     * whether the chat was fetched; until then the rest says nothing
     */
    isReady: boolean;
    /**
     * whether the panel is open
     */
    isOpen: boolean;
    /**
     * whether an answer is under way that Stop would end
     */
    isAnswering: boolean;
    /**
     * answers that ended while the panel was closed, since it was last open
     */
    unread: number;
    connection: 'idle' | 'connecting' | 'streaming' | 'reconnecting' | 'lost';
    /**
     * in reading order
     */
    messages: readonly Message[];
};
export type ChatStore = {
    /**
     * the same object until something changes
     */
    get: () => ChatState;
    /**
     * returns its undo
     */
    subscribe: (listener: (state: ChatState) => void) => () => void;
};
export type ChatEvents = {
    /**
     * the chat was fetched. Who listens later is told too
     */
    ready: {};
    /**
     * the panel was opened, by whomever
     */
    open: {};
    close: {};
    /**
     * a question was sent from this page
     */
    send: {
        id: string;
        text: string;
    };
    /**
     * a piece of the running answer, and where in the answer
     * it begins. 0 more than once: the answer began anew, or the page was loaded while it ran
     */
    token: {
        id: string;
        text: string;
        index: number;
    };
    /**
     * the running answer is there.
     * `finishReason` is `aborted` when it was stopped
     */
    answer: {
        id: string;
        text: string;
        question: string;
        finishReason: string;
    };
    /**
     * the running
     * answer failed. Without an `id`: it is not known any more who the visitor is (`SESSION_EXPIRED`), or what should
     * tell it was refused (`IDENTITY_REFUSED`)
     */
    error: {
        id: string;
        question: string;
        code: string;
        message: string;
        retryable: boolean;
    };
    /**
     * the line was cut (`reconnecting`), given up until the
     * visitor acts (`lost`), or is whole again (anything else)
     */
    reconnect: {
        connection: ChatState['connection'];
    };
    /**
     * the visitor rated an answer
     */
    feedback: {
        messageId: string;
        rating: 'up' | 'down' | null;
        comment: string;
    };
    /**
     * the number of answers that wait to be read has changed
     */
    unread: {
        count: number;
    };
    /**
     * anything of the state has changed. Who listens is told how it stands first
     */
    state: ChatState;
};
export type Handle = {
    open: () => void;
    close: () => void;
    toggle: () => void;
    /**
     * opens the panel and asks
     */
    ask: (text: string) => void;
    /**
     * asks and leaves the panel as it is
     */
    send: (text: string) => void;
    /**
     * ends the running answer
     */
    stop: () => void;
    /**
     * changes options; null takes one back to what it is by default
     */
    update: (changes: Changes) => void;
    /**
     * says who the visitor is: theirs is one conversation, on all devices.
     * Fetches nothing: it waits until the chat was fetched
     */
    identify: (who: Identity) => void;
    /**
     * begins a new conversation, as a visitor whom the server does not know yet, in all
     * pages of this browser: what signs a person out. The server keeps the old one
     */
    reset: () => void;
    on: <Name extends keyof ChatEvents>(name: Name, listener: (detail: ChatEvents[Name]) => void) => void;
    off: <Name extends keyof ChatEvents>(name: Name, listener: (detail: ChatEvents[Name]) => void) => void;
    store: ChatStore;
    /**
     * takes everything off the page. The conversation stays: on the server, and under its
     * session id in this browser
     */
    destroy: () => void;
};
export type Identity = {
    /**
     * a JSON Web Token that names them
     */
    token: string;
};
export type Changes = {
    title?: string | null;
    greeting?: string | null;
    /**
     * `#rgb` or `#rrggbb`
     */
    accent?: string | null;
    theme?: 'auto' | 'light' | 'dark' | null;
    position?: 'bottom-right' | 'bottom-left' | 'top-right' | 'top-left' | null;
    /**
     * our words by their keys, to be said in yours
     */
    strings?: Readonly<Record<string, string>>;
};
export type Call = ((verb: 'open' | 'close' | 'toggle' | 'stop' | 'reset' | 'destroy') => void) & ((verb: 'ask' | 'send', text: string) => void) & ((verb: 'identify', who: Identity) => void) & ((verb: 'update', changes: Changes) => void) & (<Name extends keyof ChatEvents>(verb: 'on' | 'off', name: Name, listener: (detail: ChatEvents[Name]) => void) => void);
export type Options = {
    /**
     * address of the server's routes; by default derived from the script's own
     */
    endpoint: string;
    /**
     * language tag; by default that of the page
     */
    locale: string;
    title: string;
    greeting: string;
    /**
     * `#rgb` or `#rrggbb`
     */
    accent: string;
    /**
     * what the launcher is called; by default Chat, then the title once the chat was fetched
     */
    label: string;
    /**
     * bottom-right by default, or
     * bottom-left where the page is written from right to left
     */
    position: 'bottom-right' | 'bottom-left' | 'top-right' | 'top-left';
    /**
     * from the window's side, in pixels; 20 by default
     */
    offsetX: number | string;
    /**
     * from its top or bottom
     */
    offsetY: number | string;
    /**
     * of the launcher; 56 by default
     */
    size: number | string;
    /**
     * of the panel; 384 by default
     */
    width: number | string;
    /**
     * of the panel; 640 by default
     */
    height: number | string;
    /**
     * the launcher's: `path('M12 2 2 22h20z')`, on a box of 24 by 24
     */
    icon: string;
    /**
     * the assistant's, in the same form
     */
    avatar: string;
    /**
     * auto by default
     */
    theme: 'auto' | 'light' | 'dark';
    /**
     * when an answer ends while the panel is closed; off by default
     */
    sound: 'on' | 'off';
    /**
     * texts to be said in place of ours, by their keys in
     * `strings/en.js`
     */
    strings: Readonly<Record<string, string>>;
    /**
     * selector of the element that the chat fills, instead of floating
     */
    container: string;
    /**
     * nothing is fetched or stored before the verb `consent`
     */
    consent: 'required';
    /**
     * the page's address and title are not sent
     */
    page: 'off';
};

declare global {
  interface Window {
    Chatbubble: Call;
  }
  const Chatbubble: Call;
}
