"""The proxy itself: it does exactly what a script says, exactly there, and nothing else."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from gevent import socket
from gevent.event import Event
from gevent.server import StreamServer
from wire_faults import Kind, Script, cut, read_script
from wire_flow import Flow
from wire_proxy import WireProxy

ANSWER = bytes(range(256)) * 400


class Answering:
    """A server that sends its answer for each line, until the client has no more. `has_left` is set then."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.has_left = Event()
        self.server = StreamServer(("127.0.0.1", 0), self._answer)
        self.server.start()

    def _answer(self, connection: Any, _address: object) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            for line in lines:
                self.received += line
                connection.sendall(ANSWER)
        self.has_left.set()


@pytest.fixture
def answering() -> Iterator[Answering]:
    answering = Answering()
    yield answering
    answering.server.stop()


MakeProxy = Callable[..., WireProxy]


@pytest.fixture
def make_proxy(answering: Answering) -> Iterator[MakeProxy]:
    """Proxies in front of it, whose scripts are written as text."""
    proxies: list[WireProxy] = []

    def make(*scripts: str | Script, match: bytes = b"") -> WireProxy:
        read = [read_script(script) if isinstance(script, str) else script for script in scripts]
        proxies.append(WireProxy(lambda: int(answering.server.address[1]), read, match=match))
        proxies[-1].start()
        return proxies[-1]

    yield make
    for proxy in proxies:
        proxy.stop()


def ask(proxy: WireProxy, *questions: bytes) -> tuple[bytes, bool]:
    """All that comes back, and whether it ended in a reset."""
    received = bytearray()
    with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        connection.settimeout(5)
        try:
            for number, question in enumerate(questions, start=1):
                connection.sendall(question + b"\n")
                while len(received) < number * len(ANSWER) and (chunk := connection.recv(65_536)):
                    received += chunk
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65_536):
                received += chunk
        except ConnectionResetError:
            return bytes(received), True
        except OSError:
            pass  # an end that has gone already cannot be told ours
    return bytes(received), False


def test_without_scripts_everything_passes(make_proxy: MakeProxy) -> None:
    assert ask(make_proxy(), b"a", b"b") == (ANSWER * 2, False)


@pytest.mark.parametrize("at", [0, 1, 77, 65_536, len(ANSWER) - 1])
@pytest.mark.parametrize("kind", [Kind.CUT, Kind.FIN])
def test_an_answer_ends_after_exactly_so_many_bytes(make_proxy: MakeProxy, at: int, kind: Kind) -> None:
    proxy = make_proxy(cut(at, kind))
    received, _ = ask(proxy, b"a")
    assert received == ANSWER[:at]
    assert (proxy.cuts_made, proxy.made[kind]) == (1, 1)


def test_a_reset_is_a_reset(make_proxy: MakeProxy) -> None:
    received, was_reset = ask(make_proxy("77:rst"), b"a")
    assert was_reset
    assert ANSWER[:77].startswith(received)


def test_a_cut_is_told_to_the_server(make_proxy: MakeProxy, answering: Answering) -> None:
    ask(make_proxy("77"), b"a")
    assert answering.has_left.wait(5)


def test_a_half_close_is_told_to_the_server_and_the_answer_goes_on(make_proxy: MakeProxy, answering: Answering) -> None:
    proxy = make_proxy("77:half")
    with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        connection.sendall(b"a\n")
        assert answering.has_left.wait(5)
        with connection.makefile("rb") as answer:
            assert answer.read() == ANSWER


def test_after_fin_the_server_still_has_its_connection(make_proxy: MakeProxy, answering: Answering) -> None:
    proxy = make_proxy("77:fin")
    with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        connection.sendall(b"a\n")
        with connection.makefile("rb") as answer:
            assert answer.read() == ANSWER[:77]
        assert not answering.has_left.is_set()
    assert answering.has_left.wait(5)


def test_in_a_black_hole_nobody_is_told_anything(make_proxy: MakeProxy, answering: Answering) -> None:
    proxy = make_proxy("77:hole=0.3")
    with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        connection.sendall(b"a\n")
        connection.settimeout(0.1)
        received = b""
        while len(received) < 77:
            received += connection.recv(65_536)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        assert not answering.has_left.is_set()
        connection.settimeout(5)
        assert connection.recv(1) == b""
    assert received == ANSWER[:77]


def test_a_request_can_be_cut(make_proxy: MakeProxy, answering: Answering) -> None:
    received, _ = ask(make_proxy("<3"), b"abcdef")
    assert received == b""
    assert answering.has_left.wait(5)
    assert answering.received == b"abc"


class Pieces:
    """Both ends of a flow: gives these pieces, and keeps how they are passed on."""

    def __init__(self, *pieces: bytes) -> None:
        self._left = deque(pieces)
        self.passed: list[bytes] = []

    def recv(self, _count: int) -> bytes:
        return self._left.popleft() if self._left else b""

    def sendall(self, piece: bytes) -> None:
        self.passed.append(piece)


def carry(script: str, *pieces: bytes) -> list[bytes]:
    """How these pieces are passed on under a script."""
    ends = Pieces(*pieces)
    flow = Flow(ends, ends, lambda _fault: False)
    flow.begin(read_script(script).side(is_on_request=False))
    assert flow.run()
    return ends.passed


def test_slices_are_so_small() -> None:
    assert carry("2:slice=1", b"abcd", b"ef") == [b"ab", b"c", b"d", b"e", b"f"]
    assert carry("0:slice=3", b"abcdefgh") == [b"abc", b"def", b"gh"]


def test_what_comes_together_is_merged() -> None:
    assert carry("0:merge=0.01", b"a", b"b", b"c") == [b"a", b"bc"]


def test_a_delay_comes_once_and_loses_nothing(make_proxy: MakeProxy) -> None:
    began = time.monotonic()
    assert ask(make_proxy("77:delay=0.2"), b"a") == (ANSWER, False)
    assert time.monotonic() - began > 0.2


def test_a_throttled_answer_takes_its_time(make_proxy: MakeProxy) -> None:
    began = time.monotonic()
    assert ask(make_proxy(f"{len(ANSWER) - 100}:throttle=500"), b"a") == (ANSWER, False)
    assert time.monotonic() - began > 0.2


def test_each_connection_takes_the_next_script(make_proxy: MakeProxy) -> None:
    proxy = make_proxy("5", "7")
    assert [len(ask(proxy, b"a")[0]) for _ in range(3)] == [5, 7, len(ANSWER)]
    assert (proxy.connections, proxy.cuts_made) == (3, 2)


def test_a_cut_beyond_the_answer_is_not_made(make_proxy: MakeProxy) -> None:
    proxy = make_proxy(cut(len(ANSWER) + 1))
    assert ask(proxy, b"a") == (ANSWER, False)
    assert proxy.cuts_made == 0


def test_counting_begins_with_the_request_that_matches(make_proxy: MakeProxy) -> None:
    proxy = make_proxy("7", match=b"/chat")
    assert ask(proxy, b"GET /config") == (ANSWER, False)
    assert len(ask(proxy, b"GET /config", b"POST /chat")[0]) == len(ANSWER) + 7


def test_each_connection_goes_its_way_and_ends_where_nobody_is(answering: Answering) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ports = itertools.cycle([int(answering.server.address[1]), unused.getsockname()[1]])
        proxy = WireProxy(lambda: next(ports))
        proxy.start()
        assert [ask(proxy, b"a")[0] for _ in range(3)] == [ANSWER, b"", ANSWER]
        proxy.stop()
