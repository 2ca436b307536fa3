"""What counting costs a token: processor time of the histograms in its path, beside all that the path costs.

    python tests/bench/token_cost.py

Ours is compared with prometheus_client's own histogram, which takes a lock that gevent has patched.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402 -- patching comes first
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

from prometheus_client import CollectorRegistry  # noqa: E402
from prometheus_client import Histogram as TheirHistogram  # noqa: E402

from chatbubble.checkpoints import Checkpoints  # noqa: E402
from chatbubble.config import Settings  # noqa: E402
from chatbubble.generation import Generation, TurnParts  # noqa: E402
from chatbubble.measures import BETWEEN_TOKENS_S, Histogram, Measures  # noqa: E402
from chatbubble.records import Question, Turn, TurnState  # noqa: E402
from chatbubble.stream_logs.memory import MemoryStreamLog  # noqa: E402


def cost_us(work: Callable[[], Any], times: int) -> float:
    """Processor time of one call, the best of five rounds."""
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - began) / times * 1e6)
    return best


def make_generation() -> Generation:
    """An answer at work, without any provider or store."""
    nobody: Any = None
    log = MemoryStreamLog()
    log.open("s1", "anna")
    turn = Turn("s1", "c1", "m1", "anna", "r1", TurnState.RUNNING, 0)
    parts = TurnParts(Settings(), nobody, nobody, log, Checkpoints(nobody), nobody, Measures())
    return Generation(turn, Question("hello", "anna", "r1"), parts, time.monotonic)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The cost of counting a token.")
    parser.add_argument("--tokens", type=int, default=20_000)
    times = parser.parse_args().tokens
    ours = Histogram(BETWEEN_TOKENS_S)
    theirs = TheirHistogram("tokens", "", buckets=BETWEEN_TOKENS_S, registry=CollectorRegistry())
    print(f"our histogram:              {cost_us(lambda: ours.observe(0.02), times):.2f} us a token")
    print(f"prometheus_client's:        {cost_us(lambda: theirs.observe(0.02), times):.2f} us a token")
    measuring = make_generation()
    print(f"all that we count:          {cost_us(lambda: measuring._measure(2.0, 1.98), times):.2f} us a token")
    taking = make_generation()
    print(f"taking it into the answer:  {cost_us(lambda: taking._take('word '), times):.2f} us a token, counted")


if __name__ == "__main__":
    main()
