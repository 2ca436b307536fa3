"""Reading a stream log to its end, as a client does that never gives up."""

from __future__ import annotations

import time

import gevent
from stream_client import Received, joined_text
from stream_log_forms import decode

from chatbubble.errors import ChatbubbleError
from chatbubble.records import Cursor
from chatbubble.stream_log import StreamLog


class Reader:
    """Reads as the widget does: cut off, it comes again with its last cursor until the answer has ended."""

    def __init__(self, log: StreamLog) -> None:
        self.events: list[Received] = []
        self._log = log
        self._cursor: Cursor | None = None
        self._reading = gevent.spawn(self._read)

    def await_text(self, text: str) -> None:
        """Until it has read so far."""
        deadline = time.monotonic() + 15
        while joined_text(self.events) != text:
            assert time.monotonic() < deadline, self.events
            gevent.sleep(0.01)

    def end(self) -> str:
        """The text, once the answer is over."""
        self._reading.get(timeout=15)
        assert [event.type for event in self.events].count("done") == 1
        return joined_text(self.events)

    def _read(self) -> None:
        while not (self.events and self.events[-1].type == "done"):
            try:
                reader = self._log.reader("s", self._cursor)
            except ChatbubbleError:
                gevent.sleep(0.05)
                continue
            while not reader.is_closed and not reader.is_exhausted:
                batch = reader.next(1)
                if batch is not None:
                    self._cursor = batch.cursor
                    self.events += decode([batch])
            reader.close()
