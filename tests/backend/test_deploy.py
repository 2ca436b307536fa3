"""A deploy with 500 streams open: nothing is cut off, nothing is lost, and nobody comes all at once."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import gevent
from deployment import Deployment, new_deployment
from pages import Gate, Page, asking, listening, reading
from postgres_server import PostgresServer

SHORT, LONG = 8, 16  # words; at 300 ms each, the long ones take longer than a process that has a second for them
PAUSE_MS = 300


TEXTS = {"".join(f"word{n} " for n in range(1, words + 1)) for words in (SHORT, LONG)}


class Crowd:
    """500 pages: 200 ask, 100 read along in a second tab, 200 have a channel."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.channels = [Page(gate, listening()) for _ in range(200)]
        self.short = self._ask(100, SHORT)
        self.long = self._ask(100, LONG)
        self.second = [Page(gate, reading(page.stream_id), page.visitor.session) for page in self.long]
        self.answers = [*self.short, *self.long, *self.second]
        self.pages = [*self.channels, *self.answers]
        await_that(lambda: all(page.is_open or page.is_over for page in self.pages))

    def check(self, has_left: Callable[[], bool]) -> None:
        """Once the old processes have left, every answer is whole and every channel is open again; nobody was cut
        off, or came in a crowd."""
        await_that(has_left)
        gevent.joinall([page.reading for page in self.answers], timeout=60)
        assert all(page.is_over for page in self.answers)
        for page in self.answers:
            done = page.events[-1]
            assert done.type == "done", done
            assert page.text == done.data["fullText"]
            assert page.text in TEXTS
        await_that(lambda: all(page.is_open for page in self.channels))
        for page in self.pages:
            page.reading.kill()
        travels = self.gate.travels
        assert travels.killed == 0
        assert travels.planned == len(travels.arrivals) - travels.put_off
        assert travels.planned >= len(self.channels) / 2  # the others were where they could stay
        crowd = travels.largest_crowd()
        print(  # noqa: T201 -- for the report
            f"{len(self.pages)} streams: {travels.planned} planned reconnects, {travels.put_off} put off, {crowd} in "
            f"the fullest 100 ms: {crowd / len(self.pages):.1%} of the streams, {crowd / travels.planned:.1%} of them"
        )
        assert crowd <= 0.08 * len(self.pages)

    def _ask(self, count: int, words: int) -> list[Page]:
        pages = [Page(self.gate, asking(f"answer: {words} tokens at {PAUSE_MS} ms")) for _ in range(count)]
        await_that(lambda: all(page.stream_id for page in pages))
        return pages


def await_that(is_so: Callable[[], bool]) -> None:
    """Until a condition holds."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        gevent.sleep(0.02)


def texts_in_the_store(deployment: Deployment, crowd: Crowd) -> set[str]:
    """What the conversations of all who asked hold."""
    port = crowd.gate.find()
    found = set()
    for page in (*crowd.short, *crowd.long):
        page.visitor.port = port
        found.add(page.visitor.conversation()["messages"][-1]["content"])
    return found


def test_a_reload_with_500_streams_open_costs_nobody_a_character(postgres: PostgresServer) -> None:
    with new_deployment(postgres) as deployment:
        (server,) = deployment.start(1, "--workers", "2")
        deployment.await_processes(server, 2)
        crowd = Crowd(Gate([server.port]))
        before = set(server.workers)
        server.signal(signal.SIGHUP)
        crowd.check(lambda: not before & set(server.workers))
        assert crowd.gate.travels.refused == 0
        assert texts_in_the_store(deployment, crowd) == TEXTS
        deployment.await_processes(server, 2)


def test_a_stop_with_500_streams_open_costs_nobody_a_character(postgres: PostgresServer) -> None:
    with new_deployment(postgres) as deployment:
        (leaving,) = deployment.start(1, "--workers", "2", drain_s="1")
        (staying,) = deployment.start(1)
        deployment.await_processes(staying, 3)
        crowd = Crowd(Gate([leaving.port, leaving.port, staying.port]))
        leaving.signal(signal.SIGTERM)
        crowd.check(lambda: leaving.process.poll() is not None)
        assert leaving.wait() == 0
        assert texts_in_the_store(deployment, crowd) == TEXTS
        assert "Traceback" not in leaving.log
