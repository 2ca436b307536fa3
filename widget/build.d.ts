// What the build provides to the sources: see assets.py.

/** The chat module's address, relative to the endpoint: `assets/chat.<hash>.mjs`. In embed.js alone. */
declare const CHAT_URL: string;

/** A style sheet, minified, as text. */
declare module '*.css' {
  const text: string;
  export default text;
}
