"""A crowd that comes at one moment: it is let in a few at a time, and whoever was there before goes on in between."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import groupby

import gevent
from gevent import monkey
from serving import Served

CROWD = 60
FEW = 8  # of both that the event loop may take in before and after it looks at the others
ASKED = b"GET /api/ai/config HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"

# The system's own: with these nothing else of this process runs while they connect and send.
plain_socket = monkey.get_original("socket", "socket")


def test_a_crowd_is_let_in_a_few_at_a_time(served: Served) -> None:
    steps: list[str] = []
    served.app.before_request(lambda: steps.append("newcomer"))

    def go_on() -> None:
        while steps.count("newcomer") < CROWD:
            steps.append("another")
            gevent.sleep(0)

    with ExitStack() as sockets:
        crowd = [sockets.enter_context(plain_socket()) for _ in range(CROWD)]
        for sock in crowd:
            sock.connect(("127.0.0.1", served.port))
            sock.sendall(ASKED)
        gevent.spawn(go_on).join(10)
        assert all(sock.recv(100).startswith(b"HTTP/1.1 200") for sock in crowd)
    runs = [len(list(run)) for name, run in groupby(steps) if name == "newcomer"]
    assert sum(runs) == CROWD
    assert max(runs) <= FEW
