/**
 * Puts a new question at the top of the view, so that its answer is read from the beginning. Keeps
 * a growing text in view while its reader is at the end, and lets go at the first sign that they
 * want to read elsewhere: by intent, not by distance, so that no new text ever fights a finger, a
 * wheel or a selection.
 */

/** How near to the end counts as there, in CSS pixels: zoomed positions are fractions. */
const END_PX = 4;
/** Of the scroller, above and below its content, less the pixel that lets a finger always scroll it. */
const PADDING_PX = 31;
/** The page may scroll without waiting for us. */
const PASSIVE = { passive: true };
const UP_KEY = /^(ArrowUp|PageUp|Home)$/;

/**
 * @typedef {object} Autoscroll
 * @property {() => void} toEnd goes to the end and follows again
 * @property {(element: HTMLElement) => void} pin puts a part of the content at the top, and follows no more
 */

/**
 * @param {HTMLElement} scroller
 * @param {HTMLElement} content what grows inside it
 * @param {(isBehind: boolean) => void} onChange whether there is text below that the reader does not follow
 * @param {AbortSignal} signal ends the observer
 * @returns {Autoscroll}
 */
export function createAutoscroll(scroller, content, onChange, signal) {
  let isFollowing = true;
  let lastTop = 0;
  let touchY = 0;
  let isSelecting = false;

  // The end of the text: below it there may be room left for a pinned question.
  const isAtEnd = () => bottomOf(content.lastElementChild ?? content) - bottomOf(scroller) <= END_PX;

  function tell() {
    onChange(!isFollowing && !isAtEnd());
  }

  function letGo() {
    isFollowing = false;
    tell();
  }

  /** @param {unknown} isUpward */
  function onIntent(isUpward) {
    // At the very top there is nowhere to go: nothing is meant by it.
    if (isUpward && scroller.scrollTop > 0) letGo();
  }

  function follow() {
    if (isFollowing) scroller.scrollTop = scroller.scrollHeight;
    // Known at once, so that the event of this very move does not count as the reader's.
    lastTop = scroller.scrollTop;
  }

  function keepUp() {
    follow();
    tell();
  }

  function onScroll() {
    const top = scroller.scrollTop;
    // Going down to the end takes hold again. Going up lets go, unless there is nothing more below:
    // then the room has grown, not the reader moved.
    if (top > lastTop && isAtEnd()) isFollowing = true;
    else if (top < lastTop && !isAtEnd()) isFollowing = false;
    lastTop = top;
    tell();
  }

  /** @param {PointerEvent} event */
  function onPointerMove({ buttons }) {
    if (isSelecting && buttons) letGo();
    isSelecting &&= buttons > 0;
  }

  scroller.addEventListener('scroll', onScroll);
  scroller.addEventListener('wheel', ({ deltaY }) => onIntent(deltaY < 0), PASSIVE);
  scroller.addEventListener('keydown', ({ key }) => onIntent(UP_KEY.test(key)));
  scroller.addEventListener('touchstart', ({ touches }) => (touchY = touches[0]?.clientY ?? 0), PASSIVE);
  scroller.addEventListener('touchmove', ({ touches }) => onIntent((touches[0]?.clientY ?? 0) > touchY), PASSIVE);
  scroller.addEventListener('selectstart', () => (isSelecting = true));
  scroller.addEventListener('pointermove', onPointerMove);
  const observer = new ResizeObserver(() => {
    follow();
    // Not now: what it shows may change a size by a fraction, of which the page would hear as a
    // `ResizeObserver loop` error.
    requestAnimationFrame(tell);
  });
  observer.observe(content);
  observer.observe(scroller);
  signal.addEventListener('abort', () => observer.disconnect());

  return {
    toEnd() {
      isFollowing = true;
      keepUp();
    },
    pin({ offsetTop }) {
      const top = offsetTop - content.offsetTop;
      isFollowing = false;
      // As much room as it takes to scroll that far.
      content.style.minHeight = `${top + scroller.clientHeight - PADDING_PX}px`;
      scroller.scrollTop = top;
      keepUp();
    },
  };
}

/** @param {Element} element */
function bottomOf(element) {
  return element.getBoundingClientRect().bottom;
}
