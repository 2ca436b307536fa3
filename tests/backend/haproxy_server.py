"""The real HAProxy in front of servers under test, with the documented configuration."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fronts import CERTIFICATE, DEPLOY, Front, find_program, free_port, replaced, running

_SERVER = "server chatbubble1 127.0.0.1:8000"


@contextmanager
def documented_haproxy(folder: Path, *ports: int) -> Iterator[tuple[Front, Front]]:
    """The one of docs/deploy, in front of these servers: its ports with TLS and without. Only ports, servers,
    certificate and limit are others."""
    secure, plain = free_port(), free_port()
    servers = "\n".join(f"    server chatbubble{number} 127.0.0.1:{port}" for number, port in enumerate(ports, start=1))
    text = (DEPLOY / "haproxy.cfg").read_text("utf-8")
    for before, after in (
        ("    maxconn 20000\n", "    maxconn 500\n"),  # of as many open files as a test may have
        ("bind :80\n", f"bind 127.0.0.1:{plain}\n"),
        ("bind :443 ", f"bind 127.0.0.1:{secure} "),
        ("/etc/haproxy/chat.example.com.pem", str(CERTIFICATE)),
        (f"    {_SERVER}", servers),
    ):
        text = replaced(text, before, after)
    configuration = folder / "haproxy.cfg"
    configuration.write_text(text, "utf-8")
    program = find_program("haproxy")
    checked = subprocess.run(
        [program, "-c", "-V", "-f", str(configuration)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stderr
    # In the foreground, as one process.
    with running([program, "-db", "-f", str(configuration)], secure, folder / "haproxy.log"):
        yield Front(secure, is_secure=True), Front(plain, is_secure=False)
