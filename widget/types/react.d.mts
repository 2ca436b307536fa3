// Made by widget/write_types.js from the comments of the sources.

/**
 * The bubble for React, 18 or newer: `<ChatBubble endpoint="https://shop.example/api/ai" onAnswer={...} />`.
 *
 * Served as it stands here, since it needs the React of the page's own build. The chat itself it imports
 * from the server, so that it is always the one that fits.
 */
export type Handle = import("./widget.mjs").Handle;
export type ChatState = import("./widget.mjs").ChatState;
export type ChatEvents = import("./widget.mjs").ChatEvents;
export type Options = import("./widget.mjs").Options;
export type Listeners = {
    [Name in keyof ChatEvents as `on${Capitalize<Name>}`]?: (detail: ChatEvents[Name]) => void;
};
export type ChatBubbleProps = Partial<Options> & Listeners & {
    endpoint: string;
    onHandle?: (handle: Handle | null) => void;
};
/**
 * What the bubble shows, as of now: the component is rendered again when it changes.
 *
 * @param {import("./widget.mjs").ChatStore | null | undefined} store `handle.store`; while there is none yet, nothing
 *   is going on
 * @returns {ChatState}
 */
export declare function useChatStore(store: import("./widget.mjs").ChatStore | null | undefined): ChatState;
/**
 * A bubble that is there as long as the component. It renders nothing of React's own.
 *
 * @param {ChatBubbleProps} props options as of `mount`; a listener for each event; `onHandle` gets the bubble's
 *   handle, and null when it is gone
 * @returns {null}
 */
export declare function ChatBubble(props: ChatBubbleProps): null;
