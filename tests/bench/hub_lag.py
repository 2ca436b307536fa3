"""How long the event loop is held up while 50 visitors' questions and answers are saved.

    python tests/bench/hub_lag.py --seconds 10

The promise is 20 ms. A greenlet asks to be woken every millisecond and measures how late it
is, first with nothing to do, then while 50 others write as fast as the store lets them.
"Our own" is the part of it in which this process had a processor: the rest is the machine's.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402 -- patching comes first
import tempfile  # noqa: E402
import time  # noqa: E402

import gevent  # noqa: E402

from chatbubble.records import Answer, FinishReason, Question, TurnState, Usage  # noqa: E402
from chatbubble.stores.sql import SqlStore  # noqa: E402

WRITERS = 50
ANSWER = "A paragraph of an ordinary answer, some *emphasis*, and a [link](https://shop.example). " * 25
_EVERY_S = 0.001


def write(store: SqlStore, writer: int, counts: list[int]) -> None:
    """One visitor after the other, each with a question and an answer."""
    while True:
        question = Question("Where is my parcel?", f"visitor-{writer}-{counts[writer]}", "r1")
        turn = store.begin_turn(question, f"stream-{writer}-{counts[writer]}").turn
        store.history(turn, 100)
        usage = Usage(200, 500)
        store.finish_turn(
            turn, Answer(ANSWER, TurnState.DONE, FinishReason.STOP, usage=usage, model="m", finished_at=1)
        )
        counts[writer] += 1


def measure(seconds: float) -> tuple[list[float], list[float]]:
    """How late each wake-up was, and what of it was our own, in milliseconds."""
    lags, own = [], []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        began_cpu = time.process_time()
        gevent.sleep(_EVERY_S)
        lags.append((time.perf_counter() - began - _EVERY_S) * 1000)
        own.append(min(lags[-1], (time.process_time() - began_cpu) * 1000))
    return lags, own


def describe(lags: list[float]) -> str:
    """The quantiles that matter."""
    lags = sorted(lags)
    places = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
    shown = (f"{name} {lags[min(len(lags) - 1, int(len(lags) * place))]:.2f} ms" for name, place in places.items())
    return ", ".join(shown)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Event loop lag with 50 writers.")
    parser.add_argument("--seconds", type=float, default=5.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore(f"sqlite:///{folder}/chat.db")
        store.open()
        print(f"idle:                 {describe(measure(seconds / 5)[0])}")
        counts = [0] * WRITERS
        writers = [gevent.spawn(write, store, writer, counts) for writer in range(WRITERS)]
        lags, own = measure(seconds)
        gevent.killall(writers)
        store.close()
    print(f"{WRITERS} writers:           {describe(lags)}")
    print(f"{WRITERS} writers, our own:  {describe(own)}; {sum(counts) / seconds:.0f} turns saved per second")


if __name__ == "__main__":
    main()
