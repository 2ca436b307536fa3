// What the build provides to the sources: see assets.py.

/** The chat module's address, relative to the endpoint: `assets/chat.<hash>.mjs`. In embed.js alone. */
declare const CHAT_URL: string;

/** The addresses, relative to the chat module, of the parts that are fetched when they are needed. In chat.js alone. */
declare const PARTS: Readonly<Record<string, string>>;

/** A style sheet, minified, as text. */
declare module '*.css' {
  const text: string;
  export default text;
}
