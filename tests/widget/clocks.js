/** Clocks for tests: one that stands still until told, one that runs fast. */

/** Timers fire only in `advance`, in order, each at its own time. */
export function createClock(start = 1_700_000_000_000) {
  let time = start;
  let timers = [];

  function fireUntil(end) {
    for (;;) {
      const due = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      timers = timers.filter((timer) => timer !== due);
      time = Math.max(time, due.at);
      due.run();
    }
    time = end;
  }

  return {
    now: () => time,
    schedule(run, ms) {
      const timer = { run, at: time + ms };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    /** Let `ms` pass. */
    advance: (ms) => fireUntil(time + ms),
    /** Let time pass without timers: the machine slept. */
    sleep(ms) {
      time += ms;
    },
    /** The delays of the waiting timers, shortest first. */
    get waiting() {
      return timers.map(({ at }) => at - time).sort((a, b) => a - b);
    },
  };
}

/** A clock on which `factor` milliseconds pass in one. */
export function createFastClock(factor) {
  const live = new Set();
  return {
    now: () => Math.round(performance.now() * factor),
    schedule(run, ms) {
      const timer = setTimeout(() => {
        live.delete(timer);
        run();
      }, ms / factor);
      live.add(timer);
      return () => {
        live.delete(timer);
        clearTimeout(timer);
      };
    },
    get waiting() {
      return [...live];
    },
  };
}
