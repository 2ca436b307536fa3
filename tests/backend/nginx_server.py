"""The real nginx in front of a server under test: with the documented configuration, or with none to speak of."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fronts import CERTIFICATE, DEPLOY, Front, find_program, free_port, replaced, running

# Whatever may be compressed is.
GZIP = "gzip on; gzip_types *; gzip_proxied any; gzip_min_length 1; gzip_http_version 1.0;"
# Whatever the server says, nothing of an answer is passed on before its end.
HOLDING = "proxy_ignore_headers X-Accel-Buffering; proxy_buffer_size 256k; proxy_buffers 8 256k;"


@contextmanager
def stock_nginx(folder: Path, port: int, *lines: str, own_port: int = 0) -> Iterator[Front]:
    """One that was told nothing but where the server is, and these lines."""
    own = own_port or free_port()
    site = f"server {{ listen 127.0.0.1:{own}; location / {{ proxy_pass http://127.0.0.1:{port}; }} }}"
    with _running(folder, "\n".join([*lines, site]), own):
        yield Front(own, is_secure=False)


@contextmanager
def documented_nginx(folder: Path, *ports: int) -> Iterator[tuple[Front, Front]]:
    """The one of docs/deploy, in front of these servers: its ports with TLS and without. Only names, ports and
    certificates are others."""
    secure, plain = free_port(), free_port()
    upstream = (DEPLOY / "nginx" / "upstream.conf").read_text("utf-8")
    servers = "\n".join(f"server 127.0.0.1:{port} max_fails=2 fail_timeout=2s;" for port in ports)
    upstream = replaced(upstream, "server 127.0.0.1:8000 max_fails=2 fail_timeout=2s;", servers)
    site = (DEPLOY / "nginx" / "chatbubble.conf").read_text("utf-8")
    for before, after in (
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen [::]:80;", ""),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{secure} ssl http2;"),
        ("listen [::]:443 ssl http2;", ""),
        ("/etc/letsencrypt/live/chat.example.com/fullchain.pem", str(CERTIFICATE)),
        ("/etc/letsencrypt/live/chat.example.com/privkey.pem", str(CERTIFICATE)),
    ):
        site = replaced(site, before, after)
    site = _for_this_version(site.replace("chat.example.com", "localhost"))
    with _running(folder, f"{upstream}\n{site}", secure):
        yield Front(secure, is_secure=True), Front(plain, is_secure=False)


def _for_this_version(site: str) -> str:
    """As the comment in the file tells owners of a newer nginx."""
    told = subprocess.run([find_program("nginx"), "-v"], capture_output=True, text=True, check=True).stderr
    version = tuple(int(part) for part in re.findall(r"\d+", told)[:3])
    return site if version < (1, 25, 1) else replaced(site, " ssl http2;", " ssl;\nhttp2 on;")


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
    command = [find_program("nginx"), "-p", str(folder), "-e", str(log), "-c", str(configuration)]
    with running(command, port, log):
        assert log.read_text("utf-8") == "", "nginx complains about its configuration"
        yield
