/** A clock for tests: it stands still until told. */

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
