"""`chatbubble serve` as a process of its own, for what only a process can show: signals and death."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from model_server import ModelServer
from stream_client import Visitor, close_all

_START_S = 30.0
_LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")


class ServerProcess:
    """One run of the server. `log` is what it wrote on stderr."""

    def __init__(self, folder: Path, environ: dict[str, str], *options: str) -> None:
        self.log_path = folder / f"server-{time.monotonic_ns()}.log"
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "chatbubble.cli", "serve", "--port", "0", *options],
                env={**os.environ, **environ},
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        self.port = 0

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self.log_path.read_text("utf-8")

    def visitor(self, session: str | None = None) -> Visitor:
        """A new visitor, or the one of a session id."""
        return Visitor(self.port, session)

    @property
    def workers(self) -> list[int]:
        """The ids of the processes that it looks after."""
        pid = self.process.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def wait(self, timeout_s: float = 20.0) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(timeout_s)

    def kill(self) -> None:
        """End it as the kernel does when memory runs out, with all that it looks after."""
        workers = self.workers if self.process.poll() is None else []
        self.process.kill()
        self.process.wait()
        for pid in workers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def await_start(self) -> None:
        """Until it listens; fails when it ends instead."""
        self.port = int(self.await_words(_LISTENING)[1])

    def await_words(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """Until it says something like this."""
        deadline = time.monotonic() + _START_S
        while (found := pattern.search(self.log)) is None:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not say {pattern.pattern!r}:\n{self.log}")
            time.sleep(0.01)
        return found


StartProcess = Callable[..., ServerProcess]


@pytest.fixture
def start_process(tmp_path: Path, model_server: ModelServer) -> Iterator[StartProcess]:
    """Starts servers that ask the scripted model, all on one database: `start_process(drain_s="2")`.

    Each is awaited until it listens, but with `is_awaited=False`.
    """
    started: list[ServerProcess] = []

    def start(*, is_awaited: bool = True, **settings: str) -> ServerProcess:
        chosen = {
            "provider": "openai",
            "database_url": f"sqlite:///{tmp_path}/chat.db",
            "rate_limit": "off",
            **settings,
        }
        environ = {f"CHATBUBBLE_{name.upper()}": value for name, value in chosen.items()}
        environ |= {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": model_server.base_url}
        started.append(ServerProcess(tmp_path, environ))
        if is_awaited:
            started[-1].await_start()
        return started[-1]

    yield start
    close_all()
    for server in started:
        server.kill()
