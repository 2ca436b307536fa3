"""A provider that says what a test tells it to say, when the test says so."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from gevent.event import Event
from gevent.queue import Queue

from chatbubble.provider import Piece
from chatbubble.records import Finish, Prompt

END = Finish()
Said = Piece | BaseException


@dataclass(eq=False)
class Call:
    """One call of the provider. Times are `time.monotonic()` seconds."""

    pieces: Queue[Said | None] = field(default_factory=Queue)
    prompt: Prompt | None = None
    began_at: float = 0.0
    ended_at: float = 0.0
    began: Event = field(default_factory=Event)
    ended: Event = field(default_factory=Event)

    def say(self, *pieces: Said) -> None:
        """Yield these pieces; an exception is raised at its place."""
        for piece in pieces:
            self.pieces.put(piece)

    def finish(self, *pieces: Said) -> None:
        """Yield these pieces and end the answer."""
        self.say(*pieces)
        self.pieces.put(None)

    def wait_until_ended(self, timeout_s: float = 5.0) -> float:
        """When the provider was let go of; raises AssertionError when it is not."""
        assert self.ended.wait(timeout_s), f"the provider is still held after {timeout_s} s"
        return self.ended_at


class ScriptedProvider:
    """Each turn takes the next prepared call, or makes one that the test then drives."""

    name = "scripted"
    model = "scripted-1"

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._prepared: deque[Call] = deque()
        self._fresh: Queue[Call] = Queue()

    def script(self, *pieces: Said) -> Call:
        """Prepare a whole answer for the next turn that has none."""
        call = Call()
        call.finish(*pieces)
        self._prepared.append(call)
        return call

    def hold(self) -> Call:
        """Prepare a call that says nothing until the test does."""
        call = Call()
        self._prepared.append(call)
        return call

    def next_call(self, timeout_s: float = 5.0) -> Call:
        """The oldest call not yet asked for here, once it has begun."""
        return self._fresh.get(timeout=timeout_s)

    def stream(self, prompt: Prompt) -> Iterator[Piece]:
        """See chatbubble.provider.Provider."""
        call = self._prepared.popleft() if self._prepared else Call()
        call.prompt, call.began_at = prompt, time.monotonic()
        self.calls.append(call)
        self._fresh.put(call)
        call.began.set()
        try:
            while (piece := call.pieces.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            call.ended_at = time.monotonic()
            call.ended.set()
