/**
 * Tell the frame's style which part of the window can be seen. A phone's keyboard covers the
 * window's lower part without making it smaller: fixed elements stay underneath.
 *
 * @param {HTMLElement} frame gets `--seen-top` and `--seen-height`
 * @param {AbortSignal} signal ends the listeners
 * @returns {void}
 */
export function fitViewport(frame, signal) {
  const seen = window.visualViewport;
  if (!seen) return;
  const fit = () => {
    // Zoomed by the fingers, the seen part is a magnifying glass, not the room there is.
    const isZoomed = seen.scale > 1.01;
    frame.style.setProperty('--seen-top', isZoomed ? '' : `${seen.offsetTop}px`);
    frame.style.setProperty('--seen-height', isZoomed ? '' : `${seen.height}px`);
  };
  for (const type of ['resize', 'scroll']) seen.addEventListener(type, fit, { signal });
}
