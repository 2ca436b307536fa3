"""Many visitors of one site, from addresses that a test chooses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import gevent
from hosting import JSON, Site, new_session, question
from raw_http import Headers, Wire, request

# Settings of a site behind one proxy that limits nothing a test is likely to reach.
FREE: dict[str, Any] = {
    "rate_limit": "1000/minute",
    "address_rate_limit": "off",
    "new_visitors_limit": "off",
    "address_streams": 0,
    "running_turns": 0,
    "trusted_proxies": 1,
}


def come_from(address: str) -> tuple[tuple[str, str]]:
    """The header that a trusted proxy sends for a visitor."""
    return (("X-Forwarded-For", address),)


@contextmanager
def held(site: Site, count: int, headers: Headers = ()) -> Iterator[list[Wire]]:
    """So many visitors wait for an answer, until the block is over and each has it."""
    site.provider.gate.clear()
    with ExitStack() as wires:
        waiting = [wires.enter_context(Wire(site.port)) for _ in range(count)]
        for wire in waiting:
            wire.send(request("POST", "/api/ai/chat", (JSON, *headers), question(new_session())))
            assert wire.read(has_body=False).status == 200
        yield waiting
        site.provider.gate.set()
        for wire in waiting:
            wire.read_chunks()


def await_free(site: Site) -> None:
    """Until no stream is open and nothing runs."""
    with gevent.Timeout(5):
        while (stats := site.mounted.get_stats())["activeConnections"] or stats["activeTurns"]:
            gevent.sleep(0.005)
