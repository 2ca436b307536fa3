"""What the documented proxies, as real programs, do with our answers beside passing them on; for that see
test_proxies.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from fronts import DEPLOY, Front
from haproxy_server import documented_haproxy
from nginx_server import documented_nginx
from serving import Serve

from chatbubble.connections import StreamingHandler

TOKEN = "operator-token-of-the-tests"  # noqa: S105 -- guards nothing
# With TLS, and without.
Documented = Callable[..., AbstractContextManager[tuple[Front, Front]]]


@pytest.fixture(params=[documented_nginx, documented_haproxy], ids=["nginx", "HAProxy"])
def documented(request: pytest.FixtureRequest) -> Documented:
    """Starts one: `documented(folder, port, ...)`."""
    start: Documented = request.param
    return start


def test_plain_http_leads_to_tls_and_there_to_http2(documented: Documented, serve: Serve, tmp_path: Path) -> None:
    with documented(tmp_path, serve().port) as (front, plain):
        moved = plain.connect().request("GET", "/api/ai/config?a=b")
        assert (moved.status, moved.headers["location"]) == (301, "https://127.0.0.1/api/ai/config?a=b")
        connection: Any = front.connect("h2", "http/1.1")
        assert connection.socket.selected_alpn_protocol() == "h2"


def test_it_names_the_request_and_nobody_else_does(documented: Documented, serve: Serve, tmp_path: Path) -> None:
    with documented(tmp_path, serve().port) as (front, _):
        names = [front.get("/config", X_Request_ID="of-the-visitor").headers["x-request-id"] for _ in range(2)]
    assert names[0] != names[1]
    assert all(re.fullmatch("[0-9a-f-]{32,36}", name) for name in names)


def test_pages_of_the_chats_own_address_may_use_it(documented: Documented, serve: Serve, tmp_path: Path) -> None:
    with documented(tmp_path, serve().port) as (front, _):
        # The host as the browser writes it, with the port that is not TLS's own here.
        own, other = f"https://localhost:{front.port}", f"https://elsewhere.example:{front.port}"
        statuses = []
        for origin in (other, own):
            connection = front.connect()
            head = f"Host: localhost:{front.port}\r\nOrigin: {origin}\r\n"
            connection.socket.sendall(f"GET /api/ai/config HTTP/1.1\r\n{head}\r\n".encode())
            statuses.append(connection.read_reply().status)
        assert statuses == [403, 200]


def test_operators_from_inside_get_through(documented: Documented, serve: Serve, tmp_path: Path) -> None:
    served = serve(operator_token=TOKEN)
    with documented(tmp_path, served.port) as (front, _):
        assert front.get("/metrics").status == 401
        assert front.get("/metrics", Authorization=f"Bearer {TOKEN}").status == 200


def test_operators_from_outside_do_not() -> None:
    inside = (DEPLOY / "nginx" / "chatbubble.conf").read_text("utf-8").partition("(stats|metrics)$ {")[2]
    assert "deny all;" in inside.partition("}")[0]
    haproxy = (DEPLOY / "haproxy.cfg").read_text("utf-8")
    assert "    http-request deny if operators !inside\n" in haproxy


def test_connections_to_the_server_are_used_again(documented: Documented, serve: Serve, tmp_path: Path) -> None:
    used = set()

    class Counting(StreamingHandler):
        def handle_one_response(self) -> None:
            used.add(self)
            super().handle_one_response()

    served = serve(handler_class=Counting)
    with documented(tmp_path, served.port) as (front, _):
        connection = front.connect()
        for _ in range(10):
            connection.request("GET", "/api/ai/config").read()
    assert len(used) == 1


def test_with_one_of_two_servers_gone_nobody_notices(documented: Documented, serve: Serve, tmp_path: Path) -> None:
    with documented(tmp_path, 1, serve().port) as (front, _):
        assert {front.get("/config").status for _ in range(6)} == {200}
