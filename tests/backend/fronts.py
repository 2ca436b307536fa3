"""What the proxies of the tests have in common: real programs on free ports, in front of servers under test."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from absent import end_without
from http2_client import Http2Connection
from stream_client import Connection, Reply

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "deploy"
CERTIFICATE = ROOT / "tests" / "fixtures" / "localhost.pem"
SESSION = "session-of-a-visitor-behind-a-proxy"
_START_S = 10.0


class Front:
    """One that listens; `port` speaks TLS where `is_secure`, and to visitors HTTP/2 where `speaks_http2`."""

    def __init__(self, port: int, *, is_secure: bool, speaks_http2: bool = False) -> None:
        self.port, self.is_secure, self.speaks_http2 = port, is_secure, speaks_http2

    def over_http2(self) -> Front:
        """The same for visitors who speak HTTP/2."""
        assert self.is_secure
        return Front(self.port, is_secure=True, speaks_http2=True)

    def connect(self, *protocols: str) -> Connection:
        """A connection to it; over TLS these protocols are offered."""
        connection = Connection(self.port)
        if self.is_secure:
            context = ssl.create_default_context(cafile=str(CERTIFICATE))
            if protocols:
                context.set_alpn_protocols(protocols)
            connection.socket = context.wrap_socket(connection.socket, server_hostname="localhost")
        return connection

    def ask(self, query: str = "", **headers: str) -> Reply:
        """`POST /chat` through it, on a connection of its own."""
        return self._request("POST", f"/chat{query}", {"message": "hello", "sessionId": SESSION}, headers)

    def get(self, path: str, **headers: str) -> Reply:
        """`GET` any address through it."""
        return self._request("GET", path, None, headers)

    def resume(self, path: str, last_event_id: str = "") -> Reply:
        """`GET` what is this visitor's alone, after an event if one is given."""
        after = {"Last_Event_ID": last_event_id} if last_event_id else {}
        return self.get(path, Authorization=f"Bearer {SESSION}", **after)

    def abort(self, stream_id: str) -> Reply:
        """Press Stop."""
        return self._request("POST", f"/chat/{stream_id}/abort", None, {"Authorization": f"Bearer {SESSION}"})

    def _request(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.speaks_http2:
            connection: Connection = Http2Connection(self.port, CERTIFICATE)
        else:
            connection = self.connect()
        return connection.request(method, f"/api/ai{path}", body=body, headers=named)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def replaced(text: str, before: str, after: str) -> str:
    """A documented configuration with one place of it changed."""
    assert text.count(before) == 1, f"{before!r} is there {text.count(before)} times"
    return text.replace(before, after)


def find_program(name: str) -> str:
    """Where it is; ends the test where it is not."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        end_without(f"this machine has no {name}")
    return found


@contextmanager
def running(command: Sequence[str], port: int, log: Path) -> Iterator[None]:
    """A program from the moment it listens. What it says goes to `log`."""
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        _await_listening(process, port, log)
        yield
    finally:
        process.terminate()
        process.wait()


def _await_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        assert process.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < deadline, f"{process.args!r} does not listen"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
