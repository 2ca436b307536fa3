// What the build provides to the sources: see assets.py.

/** The chat module's address, relative to the endpoint: `assets/chat.<hash>.mjs`. In launch.js alone. */
declare const CHAT_URL: string;

/** What stands in the names of all parts that the chat fetches later: `extras.<version>.mjs`. In parts.js alone. */
declare const PARTS_VERSION: string;

/** The languages there are words for, with spaces between them. In widget.js alone. */
declare const LOCALES: string;

/** A style sheet, minified, as text. */
declare module '*.css' {
  const text: string;
  export default text;
}
