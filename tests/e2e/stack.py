"""The whole product as processes of its own: a model's server, the backend, the shop on another origin."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
_START_S = 60.0
# By which pages say who their visitor is.
IDENTITY_SECRET = "the-identity-secret-of-the-browser-tests"  # noqa: S105 -- guards nothing


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def fetch_json(url: str, *, method: str = "GET", headers: dict[str, str] | None = None) -> Any:
    """The JSON at `url`, or None where the answer is empty."""
    with urllib.request.urlopen(urllib.request.Request(url, method=method, headers=headers or {}), timeout=10) as reply:
        body = reply.read()
    return json.loads(body) if body else None


@contextmanager
def running(*command: str, ready: str, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of this Python, from the moment `ready` answers until it is told to stop."""
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env={**os.environ, **environ})
    try:
        _wait_until_answering(ready, process)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_answering(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            if process.poll() is not None:
                raise RuntimeError(f"{process.args!r} ended with {process.returncode} before it answered") from None
            if time.monotonic() > deadline:
                raise RuntimeError(f"{url} did not answer within {_START_S:.0f} s") from None
        time.sleep(0.05)


@dataclass
class Stack:
    """Where everything is. `wire_port` is what browsers reach the backend by; a proxy may stand there."""

    folder: Path
    model_port: int = field(default_factory=free_port)
    backend_port: int = field(default_factory=free_port)
    wire_port: int = 0
    site_port: int = field(default_factory=free_port)
    own_port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.wire_port = self.wire_port or self.backend_port

    @property
    def site(self) -> str:
        """The shop's origin, with no slash at its end."""
        return f"http://{HOST}:{self.site_port}"

    @property
    def own_site(self) -> str:
        """Another origin that the backend allows: see own_site.py."""
        return f"http://{HOST}:{self.own_port}"

    @property
    def widget_origin(self) -> str:
        """The origin that the shop's pages load the widget from."""
        return f"http://{HOST}:{self.wire_port}"

    @property
    def api(self) -> str:
        """The backend's own address, past any proxy."""
        return f"http://{HOST}:{self.backend_port}/api/ai"

    def model_log(self) -> list[dict[str, Any]]:
        """What the model's server was asked, oldest first."""
        log = fetch_json(f"http://{HOST}:{self.model_port}/_control/log")
        requests: list[dict[str, Any]] = log["requests"]
        return requests

    def model(self) -> Any:
        """Start the scripted model server."""
        port = str(self.model_port)
        return running("tests/fixtures/model_server.py", "--port", port, ready=f"http://{HOST}:{port}/_control/log")

    def backend(self, **settings: str) -> Any:
        """Start the backend with the openai provider; `settings` without their prefix."""
        port = str(self.backend_port)
        environ = {
            "CHATBUBBLE_ALLOWED_ORIGINS": f"{self.site},{self.own_site}",
            "CHATBUBBLE_DATABASE_URL": f"sqlite:///{self.folder}/chat.db",
            "CHATBUBBLE_RATE_LIMIT": "off",
            "CHATBUBBLE_IDENTITY_SECRET": IDENTITY_SECRET,
            "CHATBUBBLE_PROVIDER": "openai",
            "CHATBUBBLE_DRAIN_S": "1",
            "OPENAI_API_KEY": "sk-test",
            "OPENAI_BASE_URL": f"http://{HOST}:{self.model_port}/v1",
            **{f"CHATBUBBLE_{name}": value for name, value in settings.items()},
        }
        return running("-m", "chatbubble.cli", "serve", "--port", port, ready=f"{self.api}/healthz", **environ)

    def shop(self) -> Any:
        """Start the demo site, whose pages load the widget from `widget_origin`."""
        port = str(self.site_port)
        command = ("demo-site/server.py", "--port", port, "--backend", self.widget_origin)
        return running(*command, ready=f"{self.site}/")
