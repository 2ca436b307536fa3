"""Behind the real nginx every token arrives as it is said, a lost reader is noticed, and a resume goes on exactly."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from nginx_server import DEPLOY, Nginx, documented_nginx, stock_nginx
from scripted import Call
from serving import Serve, Served
from stream_client import Reply, joined_text

from chatbubble.connections import StreamingHandler

SESSION = "session-of-a-visitor-behind-a-proxy"
TOKEN = "operator-token-of-the-tests"  # noqa: S105 -- guards nothing
IN_TIME_S = 0.1
WORDS = [f"word{number} " for number in range(20)]
GZIP = "gzip on; gzip_types *; gzip_proxied any; gzip_min_length 1; gzip_http_version 1.0;"
# What busy machines and their schedulers may hold up for longer.
LATE = 2


def ask(nginx: Nginx, **headers: str) -> Reply:
    """`POST /chat` through it."""
    body = {"message": "hello", "sessionId": SESSION}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return nginx.connect().request("POST", "/api/ai/chat", body=body, headers=named)


def get(nginx: Nginx, path: str, **headers: str) -> Reply:
    """Any address through it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return nginx.connect().request("GET", f"/api/ai{path}", headers=named)


def assert_in_time(call: Call, read: Callable[[str], None]) -> None:
    """Each word is read within 100 ms of being said."""
    delays = []
    for word in WORDS:
        said_at = time.monotonic()
        call.say(word)
        read(word)
        delays.append(time.monotonic() - said_at)
    assert sorted(delays)[-LATE - 1] < IN_TIME_S, [round(delay * 1000) for delay in delays]


def reads_events(reply: Reply) -> Callable[[str], None]:
    """Reads the next event, which has to be this token."""

    def read(word: str) -> None:
        event = reply.next_event()
        assert (event.type, event.data["text"]) == ("token", word)

    return read


@contextmanager
def in_front(kind: str, folder: Path, port: int) -> Iterator[Nginx]:
    """The documented one, one that was told nothing, or one that compresses whatever it may."""
    if kind == "documented":
        with documented_nginx(folder, port) as (nginx, _):
            yield nginx
    else:
        with stock_nginx(folder, port, *([GZIP] if kind == "compressing" else [])) as nginx:
            yield nginx


@pytest.mark.parametrize("kind", ["documented", "stock", "compressing"])
def test_tokens_arrive_in_time_and_a_resume_goes_on(kind: str, serve: Serve, tmp_path: Path) -> None:
    served = serve()
    call = served.provider.hold()
    with in_front(kind, tmp_path, served.port) as nginx:
        reply = ask(nginx)
        stream_id = reply.next_event().data["streamId"]
        assert call.began.wait(5)
        assert_in_time(call, reads_events(reply))
        reply.close()
        served.await_stats(activeConnections=0)
        again = get(nginx, f"/chat/{stream_id}", Authorization=f"Bearer {SESSION}", Last_Event_ID=reply.last_event_id)
        call.finish("at last")
        events = again.until_end()
    assert joined_text([*reply.seen, *events]) == events[-1].data["fullText"] == "".join([*WORDS, "at last"])


def test_an_nginx_that_compresses_everything_holds_nothing_back(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    call = served.provider.hold()
    with stock_nginx(tmp_path, served.port, GZIP) as nginx:
        reply = ask(nginx, Accept_Encoding="gzip")
        assert reply.headers["content-encoding"] == "gzip"
        chunks, unpack, seen = reply.chunks(), zlib.decompressobj(31), bytearray()

        def read(word: str) -> None:
            while word.encode() not in seen:
                seen.extend(unpack.decompress(next(chunks)))

        read("connected")
        assert call.began.wait(5)
        assert_in_time(call, read)
        call.finish()
        read("event: done")


def test_the_documented_nginx_never_compresses_a_stream(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    served.provider.script("a")
    with documented_nginx(tmp_path, served.port) as (nginx, _):
        reply = ask(nginx, Accept_Encoding="gzip")
        assert "content-encoding" not in reply.headers
        assert reply.until_end()[-1].type == "done"


def test_plain_http_leads_to_tls_and_there_to_http2(serve: Serve, tmp_path: Path) -> None:
    with documented_nginx(tmp_path, serve().port) as (nginx, plain):
        moved = plain.connect().request("GET", "/api/ai/config?a=b")
        assert (moved.status, moved.headers["location"]) == (301, "https://127.0.0.1/api/ai/config?a=b")
        connection: Any = nginx.connect("h2", "http/1.1")
        assert connection.socket.selected_alpn_protocol() == "h2"


def test_nginx_names_the_request_and_nobody_else_does(serve: Serve, tmp_path: Path) -> None:
    with documented_nginx(tmp_path, serve().port) as (nginx, _):
        names = [get(nginx, "/config", X_Request_ID="of-the-visitor").headers["x-request-id"] for _ in range(2)]
    assert names[0] != names[1]
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in names)


def test_pages_of_the_chats_own_address_may_use_it(serve: Serve, tmp_path: Path) -> None:
    with documented_nginx(tmp_path, serve().port) as (nginx, _):
        # The host as the browser writes it, with the port that is not TLS's own here.
        own, other = f"https://localhost:{nginx.port}", f"https://elsewhere.example:{nginx.port}"
        statuses = []
        for origin in (other, own):
            connection = nginx.connect()
            head = f"Host: localhost:{nginx.port}\r\nOrigin: {origin}\r\n"
            connection.socket.sendall(f"GET /api/ai/config HTTP/1.1\r\n{head}\r\n".encode())
            statuses.append(connection.read_reply().status)
        assert statuses == [403, 200]


def test_operators_from_inside_get_through(serve: Serve, tmp_path: Path) -> None:
    served = serve(operator_token=TOKEN)
    with documented_nginx(tmp_path, served.port) as (nginx, _):
        assert get(nginx, "/metrics").status == 401
        assert get(nginx, "/metrics", Authorization=f"Bearer {TOKEN}").status == 200
    inside = (DEPLOY / "nginx" / "chatbubble.conf").read_text("utf-8").partition("(stats|metrics)$ {")[2]
    assert "deny all;" in inside.partition("}")[0]


def test_connections_to_the_server_are_used_again(serve: Serve, tmp_path: Path) -> None:
    opened = []

    class Counting(StreamingHandler):
        def handle(self) -> None:
            opened.append(self)
            super().handle()

    served = serve(handler_class=Counting)
    with documented_nginx(tmp_path, served.port) as (nginx, _):
        connection = nginx.connect()
        for _ in range(10):
            connection.request("GET", "/api/ai/config").read()
    assert len(opened) == 1


def test_with_one_of_two_servers_gone_nobody_notices(serve: Serve, tmp_path: Path) -> None:
    served: Served = serve()
    with documented_nginx(tmp_path, 1, served.port) as (nginx, _):
        assert {get(nginx, "/config").status for _ in range(6)} == {200}
