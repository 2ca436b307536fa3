/**
 * Watches a page from before its first script: long tasks, shifts of the layout, how soon the
 * panel is there after a click, and while an answer is written its frames and changed nodes.
 * Read by the bench, as `watched`.
 */
(() => {
  const FRAME_MS = 1000 / 60;
  const watched = { longTasks: [], shifts: [], bubbleAt: null, clickedAt: null };
  Object.assign(watched, { shown: null, focused: null, usable: null });
  globalThis.watched = watched;

  const observe = (type, use) =>
    new PerformanceObserver((list) => list.getEntries().forEach(use)).observe({ type, buffered: true });
  observe('longtask', ({ startTime, duration }) => watched.longTasks.push({ startTime, duration }));
  observe('layout-shift', ({ value, startTime, hadRecentInput, sources }) => {
    const names = sources.map(({ node }) => node?.localName ?? node?.nodeName ?? 'a node that is gone');
    if (!hadRecentInput) watched.shifts.push({ value, startTime, names });
  });

  const arrival = new MutationObserver(() => {
    if (!document.querySelector('chat-bubble')) return;
    watched.bubbleAt = performance.now();
    arrival.disconnect();
  });
  arrival.observe(document, { childList: true, subtree: true });

  const root = () => document.querySelector('chat-bubble')?.shadowRoot;

  /** Calls back right after the frame that is being made was handed over for painting. */
  function afterThisFrame(then) {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => then(performance.now());
    port2.postMessage(null);
  }

  function isPanelVisible() {
    const panel = root()?.querySelector('dialog, [role=dialog]');
    return panel?.checkVisibility({ opacityProperty: true, visibilityProperty: true })
      && panel.getBoundingClientRect().height > 100;
  }

  addEventListener('click', ({ timeStamp }) => {
    watched.clickedAt = timeStamp;
    const look = () => {
      const isThere = isPanelVisible();
      afterThisFrame((now) => {
        if (isThere) watched.shown = now - timeStamp;
        else requestAnimationFrame(look);
      });
    };
    requestAnimationFrame(look);
    // Inside: a focus that moves within the bubble is not told outside of it.
    root()?.addEventListener('focusin', onFocus);
  }, true);

  function onFocus({ target }) {
    if (watched.focused !== null || !target.matches('textarea')) return;
    watched.focused = performance.now() - watched.clickedAt;
    requestAnimationFrame(() => afterThisFrame((now) => (watched.usable = now - watched.clickedAt)));
  }

  /** Frames from now on, until `end`. */
  watched.startFrames = () => {
    const at = [];
    let isRunning = true;
    const tick = (now) => {
      at.push(now);
      if (isRunning) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    return () => {
      isRunning = false;
      const gaps = at.slice(1).map((now, index) => now - at[index]);
      const took = at.at(-1) - at[0];
      const dropped = gaps.reduce((sum, gap) => sum + Math.max(0, Math.round(gap / FRAME_MS) - 1), 0);
      return { rate: (gaps.length * 1000) / took, dropped, frames: gaps.length, longest: Math.max(...gaps), took };
    };
  };

  const withoutCursor = (names) => names.split(/\s+/).filter((name) => name && name !== 'cursor').join(' ');

  /** What became of something that was already on the page, or null where nothing did. */
  function harmOf({ type, target, attributeName, oldValue, removedNodes }) {
    const bubble = (target.closest ? target : target.parentElement)?.closest('[part~=assistant-bubble]');
    if (!bubble) return null;
    if (type === 'childList') return removedNodes.length ? 'removed' : null;
    if (type === 'characterData') return target.data.startsWith(oldValue) ? null : 'rewritten';
    // What waits for the first word is the empty bubble itself.
    if (target === bubble) return null;
    const now = target.getAttribute(attributeName);
    const isCursor = attributeName === 'class' && withoutCursor(now ?? '') === withoutCursor(oldValue ?? '');
    return isCursor || oldValue === now ? null : 'changed';
  }

  /** Watches the next answer from its first word to its last; `watched.answer` then has the record. */
  watched.startAnswer = () => {
    const record = { removed: 0, rewritten: 0, changed: 0, added: 0 };
    const list = root().querySelector('[role=log]');
    const known = new Set(list.querySelectorAll('article'));
    let begun = 0;
    let endFrames = null;
    watched.answer = null;
    const observer = new MutationObserver((changes) => {
      for (const change of changes) {
        const harm = harmOf(change);
        if (harm) record[harm] += 1;
        record.added += change.addedNodes.length;
      }
      const answers = [...list.querySelectorAll('article:has([part~=assistant-bubble])')];
      const answer = answers.find((each) => !known.has(each));
      if (!answer) return;
      if (!begun && answer.dataset.state === 'streaming') {
        begun = performance.now();
        endFrames = watched.startFrames();
      }
      if (!endFrames || answer.dataset.state === 'streaming') return;
      observer.disconnect();
      const tasks = watched.longTasks.filter(({ startTime }) => startTime >= begun);
      const text = answer.querySelector('[part~=assistant-bubble]').textContent;
      const longest = Math.max(0, ...tasks.map(({ duration }) => duration));
      watched.answer = { ...record, ...endFrames(), tasks: tasks.length, longestTask: longest, shown: text.length };
    });
    observer.observe(list, {
      subtree: true, childList: true, characterData: true, characterDataOldValue: true, attributes: true,
      attributeOldValue: true,
    });
  };
})();
