// What the build provides to the sources: see assets.py.

/** The chat module's address, relative to the endpoint: `assets/chat.<hash>.mjs`. In embed.js alone. */
declare const CHAT_URL: string;

/** The addresses, relative to the chat module, of the files that hold the words of each locale but English. In chat.js alone. */
declare const LOCALES: Readonly<Record<string, string>>;

/** A style sheet, minified, as text. */
declare module '*.css' {
  const text: string;
  export default text;
}
