"""Server processes of the fault suite: started fast, signalled, killed."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
from gevent.lock import BoundedSemaphore
from inside import ASK

_START_S = 60.0
_LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")
_HERE = Path(__file__).resolve().parent


class NotStarted(Exception):
    """A server ended before it listened; its log says why."""


class Server:
    """One `chatbubble serve`, by a name of its own."""

    def __init__(self, name: str, pid: int, log_path: Path) -> None:
        self.name, self.pid, self.log_path = name, pid, log_path
        self.port = 0
        self.started_at = time.monotonic()
        self.is_doomed = False

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self.log_path.read_text("utf-8") if self.log_path.exists() else ""

    @property
    def is_alive(self) -> bool:
        """Whether the process is there, and no zombie."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(") ")[2][0] not in "ZX"
        except OSError:
            return False

    @property
    def is_open(self) -> bool:
        """Whether new connections should go to it."""
        return bool(self.port) and not self.is_doomed

    @property
    def processor_s(self) -> float:
        """How much time of a processor it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory_mb(self) -> float:
        """What it has in memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 2**20

    @property
    def open_files(self) -> int:
        """How many files and sockets it holds."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def look_inside(self) -> dict[str, int]:
        """What it says of itself: see inside.py."""
        path = self.log_path.with_suffix(".inside")
        path.unlink(missing_ok=True)
        self.signal(ASK)
        deadline = time.monotonic() + _START_S
        while not path.exists() and time.monotonic() < deadline:
            gevent.sleep(0.01)
        told: dict[str, int] = json.loads(path.read_text("utf-8"))
        return told

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def await_start(self) -> None:
        """Until it listens. Raises NotStarted when it ends instead."""
        deadline = time.monotonic() + _START_S
        while (found := _LISTENING.search(self.log)) is None:
            if not self.is_alive or time.monotonic() > deadline:
                raise NotStarted(self.log)
            gevent.sleep(0.01)
        self.port = int(found[1])

    def kill(self) -> None:
        """End it as the kernel does when memory runs out, and wait until it is gone."""
        self.is_doomed = True
        self.signal(signal.SIGKILL)
        self.await_end()

    def await_end(self, timeout_s: float = 60.0) -> None:
        """Until it is gone. Raises TimeoutError."""
        deadline = time.monotonic() + timeout_s
        while self.is_alive:
            if time.monotonic() > deadline:
                raise TimeoutError(f"server {self.pid} is still there:\n{self.log[-2000:]}")
            gevent.sleep(0.01)


class Nursery:
    """Starts servers in `folder`: see nursery.py. `environ` joins this process's."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        # What is killed cannot say which lines it ran, and saying so would slow it down.
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "COV_"))}
        self._process = subprocess.Popen(
            [sys.executable, str(_HERE / "nursery.py")],
            env={**clean, **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._asking = BoundedSemaphore(1)

    def start(self, name: str, environ: Mapping[str, str]) -> Server:
        """Start a server; it listens when this returns. Raises NotStarted."""
        log = self._folder / f"{name}-{secrets.token_hex(4)}.log"
        server = Server(name, self._fork({"environ": dict(environ), "folder": str(self._folder), "log": str(log)}), log)
        server.await_start()
        return server

    def close(self) -> None:
        """Start no more."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(_START_S)
        self._process.stdout.close()

    def _fork(self, wanted: Mapping[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._asking:
            self._process.stdin.write(json.dumps(wanted) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())
