"""What it costs to save running answers: processor time a part, and how long the event loop is held up.

    python tests/bench/checkpoint_cost.py --turns 1000

As many answers grow by a word every 20 ms. First nobody saves them, then the checkpoints do, as they
do in the server. A greenlet asks to be woken every millisecond and measures how late it is.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402 -- patching comes first
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Sequence  # noqa: E402

import gevent  # noqa: E402
from hub_lag import describe, measure  # noqa: E402

from chatbubble.checkpoints import Checkpoints  # noqa: E402
from chatbubble.records import Question  # noqa: E402
from chatbubble.store import AnswerPart  # noqa: E402
from chatbubble.stores.sql import SqlStore  # noqa: E402

_WORD_EVERY_S = 0.02


class Growing:
    """An answer that is being generated."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    @property
    def length(self) -> int:
        """See GrowingText."""
        return len(self.pieces)

    def text_from(self, piece: int) -> str:
        """See GrowingText."""
        return "".join(self.pieces[piece:])


class CountingStore(SqlStore):
    """Counts what it is given."""

    parts = rounds = 0
    wall_s = 0.0

    def save_parts(self, parts: Sequence[AnswerPart]) -> None:
        """See ConversationStore.save_parts."""
        began = time.perf_counter()
        super().save_parts(parts)
        self.wall_s += time.perf_counter() - began
        self.parts += len(parts)
        self.rounds += 1


def grow(answers: list[Growing]) -> None:
    """All of them, a word at a time."""
    while True:
        for answer in answers:
            answer.pieces.append("customer ")
        gevent.sleep(_WORD_EVERY_S)


def hub_cost_us(answers: list[Growing]) -> float:
    """What the event loop's own thread does for one part."""

    class Free:
        def save_parts(self, parts: Sequence[AnswerPart]) -> None:
            """Take them at no cost."""

    checkpoints = Checkpoints(Free(), every_s=0)  # type: ignore[arg-type]
    for number, answer in enumerate(answers):
        checkpoints.watch(f"stream-{number}", answer)
    began = time.thread_time()
    for batch in checkpoints._batches():
        checkpoints._save(batch)
    cost_us = (time.thread_time() - began) / len(answers) * 1e6
    for number in range(len(answers)):
        checkpoints.leave(f"stream-{number}")
    return cost_us


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The cost of saving running answers.")
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=5.0)
    arguments = parser.parse_args()
    answers = [Growing() for _ in range(arguments.turns)]
    with tempfile.TemporaryDirectory() as folder:
        store = CountingStore(f"sqlite:///{folder}/chat.db")
        store.open()
        for number in range(arguments.turns):
            store.begin_turn(Question("Where is my parcel?", f"visitor-{number}", "r1"), f"stream-{number}")
        growing = gevent.spawn(grow, answers)
        without = time.process_time()
        print(f"{arguments.turns} answers, not saved: {describe(measure(arguments.seconds)[0])}")
        without = time.process_time() - without
        print(f"in the event loop's thread: {hub_cost_us(answers):.1f} us a part")
        checkpoints = Checkpoints(store)
        for number, answer in enumerate(answers):
            checkpoints.watch(f"stream-{number}", answer)
        began = time.process_time()
        lags, own = measure(arguments.seconds)
        spent = time.process_time() - began - without
        print(f"{arguments.turns} answers, saved:     {describe(lags)}")
        print(f"{arguments.turns} answers, our own:   {describe(own)}")
        print(
            f"{store.parts} parts in {store.rounds} transactions of {store.wall_s / store.rounds * 1000:.1f} ms: "
            f"{spent / arguments.seconds:.1%} of a processor more"
        )
        growing.kill()
        for number in range(arguments.turns):
            checkpoints.leave(f"stream-{number}")
        gevent.sleep(0)
        store.close()


if __name__ == "__main__":
    main()
