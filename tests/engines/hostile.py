"""The hostile answers of tests/fixtures/hostile.json, told to visitors, and the place that they try to reach."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

import toolchain
from stack import HOST, ROOT

# A conversation shows 500 messages.
BATCH = 200
_LIVE_EVERY = 90


class Sink:
    """Listens where every hostile address leads, and counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server((HOST, 0))
        self.address = f"{HOST}:{self._socket.getsockname()[1]}"
        self.visits = 0

    def _count(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:  # closed: that was all
                return
            self.visits += 1
            visitor.close()

    @contextmanager
    def listening(self) -> Iterator[Sink]:
        """Until the end of the block."""
        Thread(target=self._count, daemon=True).start()
        yield self
        self._socket.close()


@dataclass
class Batch:
    """Some of the answers, as the conversation of one visitor."""

    visitor: str
    first: int
    count: int

    @property
    def query(self) -> str:
        """The page's options for it."""
        return f"suite=hostile&visitor={self.visitor}&count={self.count}"


def read_answers(sink: str) -> list[str]:
    """All of them, their hosts replaced by the sink; then those that break a bound each."""
    node, _ = toolchain.find_node()
    command = [*node, str(ROOT / "tests" / "widget" / "fixtures" / "hostile_answers.js")]
    families = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    answers = [
        re.sub(r"\b(evil|a|bank|shop)\.example\b", sink, each) for family in families.values() for each in family
    ]
    return [*answers, *_too_much()]


def _too_much() -> list[str]:
    """One answer for each bound that a page would suffer without."""
    row = "| a " * 30 + "|\n"
    return [
        "> - 1. " * 40 + "a",
        "***a ~~" * 40,
        row + "|-" * 30 + "|\n" + row * 80,
        "```\n" + "a" * 30_000 + "\n```",
        "word " * 14_000,
        "a" + "\u0301" * 400,
    ]


def tell_all(api: str, answers: list[str]) -> list[Batch]:
    """Has every answer told once, over the wire; returns whose conversations they are in."""
    starts = range(0, len(answers), BATCH)
    batches = [Batch(f"hostile-visitor-{start:05}", start, len(answers[start : start + BATCH])) for start in starts]
    with ThreadPoolExecutor(len(batches)) as pool:
        list(pool.map(lambda batch: _tell(api, batch), batches))
    return batches


def _tell(api: str, batch: Batch) -> None:
    for number in range(batch.first, batch.first + batch.count):
        body = json.dumps({"message": f"hostile: {number}", "sessionId": batch.visitor}).encode()
        request = urllib.request.Request(f"{api}/chat", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as stream:
            assert b"event: done" in stream.read(), f"answer {number} did not come"


def live_numbers(count: int) -> str:
    """Which answers are asked for on the page itself: some of every family, and all that break a bound."""
    return ",".join(map(str, [*range(0, count - 6, _LIVE_EVERY), *range(count - 6, count - 1)]))
