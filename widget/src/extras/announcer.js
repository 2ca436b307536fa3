import { make } from '../dom.js';

const INLINE = /^(#text|A|CODE|DEL|EM|SPAN|STRONG)$/;

/**
 * The text of a node as it would be read out: blocks apart from each other, buttons left out.
 *
 * @param {Node} node
 * @returns {string}
 */
export function readAloud(node) {
  if (node.nodeName === 'BUTTON') return '';
  const text = node.nodeValue ?? Array.from(node.childNodes, readAloud).join('');
  return INLINE.test(node.nodeName) ? text : `${text.trim()}\n`;
}

/**
 * The one place from which a screen reader is told what happens, in whole sentences and never
 * piece by piece: that an answer has begun, the whole answer once it is there, what the status line
 * says, and that code was copied. It stands in the panel, since a modal dialog silences all around
 * it, and once more outside, so that an answer is told even when the panel was closed meanwhile.
 *
 * @param {ShadowRoot} root
 * @param {HTMLElement} frame what is watched
 * @param {import('../types.js').Words} words
 * @param {AbortSignal} signal ends the observer
 * @returns {(text: string) => void} says it when the visitor pauses
 */
export function createAnnouncer(root, frame, words, signal) {
  const regions = [root, frame].map((parent) => {
    const region = make('p', 'announcer', { role: 'status' });
    // It must be on the page before its text changes.
    parent.append(region);
    return region;
  });
  /** @param {string} text */
  const say = (text) => {
    const isClosed = getComputedStyle(frame).visibility === 'hidden';
    regions.forEach((region, at) => region.replaceChildren(...((at === 0) === isClosed ? [text] : [])));
  };
  const observer = new MutationObserver((records) => {
    for (const record of records) {
      const text = toSay(record, words);
      if (text) say(text);
    }
  });

  observer.observe(frame, {
    subtree: true, childList: true, attributeFilter: ['data-state'], attributeOldValue: true,
  });
  signal.addEventListener('abort', () => observer.disconnect());
  return say;
}

/**
 * What a change in the panel is told as, if at all.
 *
 * @param {MutationRecord} record
 * @param {import('../types.js').Words} words
 */
function toSay({ type, target, oldValue }, words) {
  const { classList, dataset } = /** @type {HTMLElement} */ (target);
  // The status line, and a copy button that says that it did. Nothing else is asked for its text, which may be long.
  if (type !== 'attributes') {
    const isCopy = classList?.contains('copy');
    const text = (isCopy || classList?.contains('line')) && target.textContent;
    return !text || (isCopy && text !== words.copied) ? '' : text;
  }
  const wasUnderWay = /^(sending|streaming)$/.test(oldValue ?? '') && classList.contains('assistant-message');
  if (!wasUnderWay || dataset.state === oldValue) return '';
  if (dataset.state === 'streaming') return words.typing;
  return /^(done|aborted|failed)$/.test(`${dataset.state}`) ? readAloud(target).trim() : '';
}
