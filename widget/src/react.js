/**
 * The bubble for React, 18 or newer: `<ChatBubble endpoint="https://shop.example/api/ai" onAnswer={...} />`.
 *
 * Served as it stands here, since it needs the React of the page's own build. The chat itself it imports
 * from the server, so that it is always the one that fits.
 */

import { useEffect, useRef, useSyncExternalStore } from 'react';

/** @typedef {import('./public.js').Handle} Handle */
/** @typedef {import('./public.js').ChatState} ChatState */
/** @typedef {import('./public.js').ChatEvents} ChatEvents */
/** @typedef {import('./types.js').Options} Options */

/**
 * An event's listener is called like it: `onAnswer`, `onReconnect`.
 *
 * @typedef {{[Name in keyof ChatEvents as `on${Capitalize<Name>}`]?: (detail: ChatEvents[Name]) => void}} Listeners
 */

/**
 * @typedef {Partial<Options> & Listeners & {
 *   endpoint: string,
 *   onHandle?: (handle: Handle | null) => void,
 * }} ChatBubbleProps
 */

/** @type {ChatState} */
const UNKNOWN = { isReady: false, isOpen: false, isAnswering: false, unread: 0, connection: 'idle', messages: [] };
const NOTHING = { get: () => UNKNOWN, subscribe: () => () => {} };
const EVENTS = /** @type {const} */ ([
  'ready', 'open', 'close', 'send', 'token', 'answer', 'error', 'reconnect', 'feedback', 'unread', 'state',
]);
/** What can be changed while the bubble is there; anything else takes a new one. */
const LIVE = ['title', 'greeting', 'accent', 'theme', 'position', 'strings'];

/**
 * What the bubble shows, as of now: the component is rendered again when it changes.
 *
 * @param {import('./public.js').ChatStore | null | undefined} store `handle.store`; while there is none yet, nothing
 *   is going on
 * @returns {ChatState}
 */
export function useChatStore(store) {
  const { get, subscribe } = store ?? NOTHING;
  return useSyncExternalStore(subscribe, get, () => UNKNOWN);
}

/**
 * A bubble that is there as long as the component. It renders nothing of React's own.
 *
 * @param {ChatBubbleProps} props options as of `mount`; a listener for each event; `onHandle` gets the bubble's
 *   handle, and null when it is gone
 * @returns {null}
 */
export function ChatBubble(props) {
  const latest = useRef(props);
  /** @type {import('react').RefObject<{handle: Handle, told: Record<string, any>} | null>} */
  const present = useRef(null);
  const options = optionsOf(props);
  const fixed = JSON.stringify(Object.entries(options).filter(([name]) => !LIVE.includes(name)));
  const live = JSON.stringify(LIVE.map((name) => options[name]));

  useEffect(() => {
    latest.current = props;
  });
  useEffect(() => {
    let isGone = false;
    void load(latest.current.endpoint).then((mount) => {
      if (isGone || !mount) return;
      const told = optionsOf(latest.current);
      const handle = mount(told);
      present.current = { handle, told };
      for (const name of EVENTS) handle.on(name, (detail) => listenerOf(latest.current, name)?.(detail));
      latest.current.onHandle?.(handle);
    });
    return () => {
      isGone = true;
      present.current?.handle.destroy();
      if (present.current) latest.current.onHandle?.(null);
      present.current = null;
    };
  }, [fixed]);
  useEffect(() => {
    if (!present.current) return;
    const { handle, told } = present.current;
    const now = optionsOf(latest.current);
    const changed = LIVE.filter((name) => JSON.stringify(now[name]) !== JSON.stringify(told[name]));
    if (changed.length) handle.update(Object.fromEntries(changed.map((name) => [name, now[name] ?? null])));
    present.current = { handle, told: now };
  }, [live]);
  return null;
}

/**
 * @param {string} endpoint
 * @returns {Promise<typeof import('./index.js').mount | null>} null where it cannot be had
 */
async function load(endpoint) {
  try {
    // No bundler's business: the address is the server's.
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ `${endpoint}/widget.mjs`)).mount;
  } catch (error) {
    console.warn('Chatbubble did not load:', error);
    return null;
  }
}

/**
 * @param {ChatBubbleProps} props
 * @returns {Record<string, any>}
 */
function optionsOf(props) {
  return Object.fromEntries(Object.entries(props).filter(([name]) => !/^on[A-Z]/.test(name)));
}

/**
 * @param {Record<string, any>} props
 * @param {string} name of an event
 * @returns {((detail: any) => void) | undefined}
 */
function listenerOf(props, name) {
  return props[`on${name.replace(/^./, (letter) => letter.toUpperCase())}`];
}
