import { make, makeButton } from '../dom.js';

/**
 * What may be asked, as buttons below the last message.
 *
 * @param {import('../extras.js').Speaking} chat
 * @returns {(texts: unknown) => void} shows these, as they came; none where it is no list
 */
export function createSuggestions({ frame, words, panel, server }) {
  const element = make('div', 'suggestions', { role: 'group', 'aria-label': `${words.suggestions}` });
  const [list] = frame.getElementsByClassName('messages');
  /** @type {unknown} */
  let current;

  /** @param {string} text */
  function makeSuggestion(text) {
    const button = makeButton('suggestion', onPress, text);
    button.dir = 'auto';
    return button;

    function onPress() {
      // The button goes, and would take the focus with it.
      panel.show(true, true);
      server.ask(text);
    }
  }

  return (texts) => {
    if (texts === current) return;
    current = texts;
    const usable = Array.isArray(texts) ? texts.filter((text) => typeof text === 'string' && text.trim()) : [];
    element.replaceChildren(...usable.map(makeSuggestion));
    if (usable.length) list?.append(element);
    else element.remove();
  };
}
