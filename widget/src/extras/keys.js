/**
 * What keys do in the panel beyond what the browser makes of them.
 */

/** Where the panel covers the page: as in styles/panel.css. */
const COVERS = '(max-width: 479px), (max-height: 479px)';
const CAN_FOCUS = 'a, textarea, button:enabled, [tabindex="0"]';

/**
 * F6 goes to and fro between transcript and composer, past all that can be focused in the answers.
 * Where the panel covers the page it is modal: nobody can see what the focus would be on behind it.
 *
 * @param {import('../widget.js').Running} chat
 * @returns {void}
 */
export function listenToKeys({ root, frame, panel, signal }) {
  const covering = matchMedia(COVERS);
  const log = /** @type {HTMLElement} */ (panel.transcript.elements[0]);

  function tell() {
    frame.setAttribute('aria-modal', `${covering.matches}`);
  }

  /**
   * @param {boolean} isBackward
   * @returns {HTMLElement | undefined} where the focus goes on from the panel's last control, or its first
   */
  function goRound(isBackward) {
    const all = /** @type {HTMLElement[]} */ ([...frame.querySelectorAll(CAN_FOCUS)]).filter((each) =>
      each.checkVisibility?.() ?? each.offsetParent);
    if (isBackward) all.reverse();
    const [first] = all;
    const isAtEnd = root.activeElement === all.at(-1) || (isBackward && root.activeElement === frame);
    return isAtEnd ? first : undefined;
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const { key, shiftKey } = event;
    const isInLog = log.contains(root.activeElement);
    if (key === 'F6' && isInLog) panel.composer.focus();
    else if (key === 'F6') log.focus({ preventScroll: true });
    else {
      const next = key === 'Tab' && covering.matches && goRound(shiftKey);
      if (!next) return;
      next.focus();
    }
    event.preventDefault();
  }

  tell();
  covering.addEventListener('change', tell, { signal });
  frame.addEventListener('keydown', onKey);
}
