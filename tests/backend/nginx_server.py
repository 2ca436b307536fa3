"""The real nginx in front of a server under test: with the documented configuration, or with none to speak of."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from absent import end_without
from stream_client import Connection

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "deploy"
CERTIFICATE = ROOT / "tests" / "fixtures" / "localhost.pem"
# Whatever the server says, nothing of an answer is passed on before its end.
HOLDING = "proxy_ignore_headers X-Accel-Buffering; proxy_buffer_size 256k; proxy_buffers 8 256k;"
_START_S = 10.0


class Nginx:
    """One that listens; `port` speaks TLS where `is_secure`."""

    def __init__(self, port: int, *, is_secure: bool) -> None:
        self.port, self.is_secure = port, is_secure

    def connect(self, *protocols: str) -> Connection:
        """A connection to it; over TLS these protocols are offered."""
        connection = Connection(self.port)
        if self.is_secure:
            context = ssl.create_default_context(cafile=str(CERTIFICATE))
            if protocols:
                context.set_alpn_protocols(protocols)
            connection.socket = context.wrap_socket(connection.socket, server_hostname="localhost")
        return connection


@contextmanager
def stock_nginx(folder: Path, port: int, *lines: str, own_port: int = 0) -> Iterator[Nginx]:
    """One that was told nothing but where the server is, and these lines."""
    own = own_port or free_port()
    site = f"server {{ listen 127.0.0.1:{own}; location / {{ proxy_pass http://127.0.0.1:{port}; }} }}"
    with _running(folder, "\n".join([*lines, site]), own):
        yield Nginx(own, is_secure=False)


@contextmanager
def documented_nginx(folder: Path, *ports: int) -> Iterator[tuple[Nginx, Nginx]]:
    """The one of docs/deploy, in front of these servers: its ports with TLS and without. Only names, ports and
    certificates are others."""
    secure, plain = free_port(), free_port()
    upstream = (DEPLOY / "nginx" / "upstream.conf").read_text("utf-8")
    servers = "\n".join(f"server 127.0.0.1:{port} max_fails=2 fail_timeout=2s;" for port in ports)
    upstream = _replaced(upstream, "server 127.0.0.1:8000 max_fails=2 fail_timeout=2s;", servers)
    site = (DEPLOY / "nginx" / "chatbubble.conf").read_text("utf-8")
    for before, after in (
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen [::]:80;", ""),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{secure} ssl http2;"),
        ("listen [::]:443 ssl http2;", ""),
        ("/etc/letsencrypt/live/chat.example.com/fullchain.pem", str(CERTIFICATE)),
        ("/etc/letsencrypt/live/chat.example.com/privkey.pem", str(CERTIFICATE)),
    ):
        site = _replaced(site, before, after)
    site = _for_this_version(site.replace("chat.example.com", "localhost"))
    with _running(folder, f"{upstream}\n{site}", secure):
        yield Nginx(secure, is_secure=True), Nginx(plain, is_secure=False)


def _for_this_version(site: str) -> str:
    """As the comment in the file tells owners of a newer nginx."""
    told = subprocess.run([_find_nginx(), "-v"], capture_output=True, text=True, check=True).stderr
    version = tuple(int(part) for part in re.findall(r"\d+", told)[:3])
    return site if version < (1, 25, 1) else _replaced(site, " ssl http2;", " ssl;\nhttp2 on;")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _replaced(text: str, before: str, after: str) -> str:
    assert text.count(before) == 1, f"{before!r} is there {text.count(before)} times"
    return text.replace(before, after)


def _find_nginx() -> str:
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        end_without("this machine has no nginx")
    return found


@contextmanager
def _running(folder: Path, http: str, port: int) -> Iterator[None]:
    temporary = "\n".join(
        f"{name}_temp_path {folder}/nginx-{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    lines = [
        "user root;" if os.geteuid() == 0 else "",
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log warn;",
        f"events {{ worker_connections 512; }}\nhttp {{ access_log off; {temporary}\n{http}\n}}\n",
    ]
    configuration, log = folder / "nginx.conf", folder / "nginx.log"
    configuration.write_text("\n".join(lines), "utf-8")
    log.touch()
    command = [_find_nginx(), "-p", str(folder), "-e", str(log), "-c", str(configuration)]
    process = subprocess.Popen(command)
    try:
        _await_listening(process, port, log)
        assert log.read_text("utf-8") == "", "nginx complains about its configuration"
        yield
    finally:
        process.terminate()
        process.wait()


def _await_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        assert process.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < deadline, "nginx does not listen"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
