"""The proxy itself: it cuts exactly where it is told, and nowhere else."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gevent import socket
from gevent.server import StreamServer
from wire_proxy import Cut, WireProxy, random_cuts

ANSWER = bytes(range(256)) * 400


def answer(connection: Any, _address: object) -> None:
    """Sends its answer for each line, until the client has no more."""
    with connection, connection.makefile("rb") as lines:
        for _ in lines:
            connection.sendall(ANSWER)


@pytest.fixture
def make_proxy() -> Iterator[Callable[..., WireProxy]]:
    """Proxies in front of a server that always gives the same answer."""
    server = StreamServer(("127.0.0.1", 0), answer)
    server.start()
    proxies: list[WireProxy] = []

    def make(*cuts: Cut, match: bytes = b"") -> WireProxy:
        proxies.append(WireProxy(int(server.address[1]), cuts, match=match))
        proxies[-1].start()
        return proxies[-1]

    yield make
    for proxy in proxies:
        proxy.stop()
    server.stop()


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
        except OSError:
            return bytes(received), True
    return bytes(received), False


def test_without_cuts_everything_passes(make_proxy: Callable[..., WireProxy]) -> None:
    assert ask(make_proxy(), b"a", b"b") == (ANSWER * 2, False)


@pytest.mark.parametrize("after_bytes", [0, 1, 77, 65_536, len(ANSWER) - 1])
def test_a_connection_ends_after_exactly_so_many_bytes(make_proxy: Callable[..., WireProxy], after_bytes: int) -> None:
    proxy = make_proxy(Cut(after_bytes))
    received, _ = ask(proxy, b"a")
    assert received == ANSWER[:after_bytes]
    assert proxy.cuts_made == 1


def test_a_reset_is_a_reset(make_proxy: Callable[..., WireProxy]) -> None:
    received, was_reset = ask(make_proxy(Cut(77, is_reset=True)), b"a")
    assert was_reset
    assert ANSWER[:77].startswith(received)


def test_each_connection_takes_the_next_cut(make_proxy: Callable[..., WireProxy]) -> None:
    proxy = make_proxy(Cut(5), Cut(7))
    assert [len(ask(proxy, b"a")[0]) for _ in range(3)] == [5, 7, len(ANSWER)]
    assert (proxy.connections, proxy.cuts_made) == (3, 2)


def test_a_cut_beyond_the_answer_is_not_made(make_proxy: Callable[..., WireProxy]) -> None:
    proxy = make_proxy(Cut(len(ANSWER) + 1))
    assert ask(proxy, b"a") == (ANSWER, False)
    assert proxy.cuts_made == 0


def test_counting_begins_with_the_request_that_matches(make_proxy: Callable[..., WireProxy]) -> None:
    proxy = make_proxy(Cut(7), match=b"/chat")
    assert ask(proxy, b"GET /config") == (ANSWER, False)
    assert len(ask(proxy, b"GET /config", b"POST /chat")[0]) == len(ANSWER) + 7


def test_a_seed_gives_the_same_cuts_again() -> None:
    first, again, other = (random_cuts(random.Random(seed), 5, 5000) for seed in (1, 1, 2))
    assert first == again != other
    assert 1 <= len(first) <= 5
