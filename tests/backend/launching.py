"""Servers as processes of their own, without any Chatbubble or OpenAI setting but those a test gives."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import gevent
from raw_http import Answer, call

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("CHATBUBBLE_", "OPENAI_"))}
SERVE = [sys.executable, "-m", "chatbubble.cli", "serve"]
_PORT = re.compile(r"(?:listening|Listening|Running).*? (?:at: |on )?http://127\.0\.0\.1:(\d+)")


@dataclass
class Running:
    """A server that listens. `said` is what it wrote so far."""

    process: subprocess.Popen[str]
    port: int
    said: list[str]

    def get(self, path: str) -> Answer:
        """Ask it."""
        return call(self.port, "GET", path)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)


@contextmanager
def running(command: Sequence[str], folder: Path, **environ: str) -> Iterator[Running]:
    """Start a server in `folder` and wait until it says on which port of this machine it listens."""
    process = subprocess.Popen(
        command, cwd=folder, env=CLEAN | environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    said: list[str] = []
    found = None
    try:
        while found is None:
            said.append(process.stdout.readline())
            assert said[-1], "".join(said)
            found = _PORT.search(said[-1])
        listener = gevent.spawn(lambda: said.extend(process.stdout or ()))
        yield Running(process, int(found[1]), said)
    finally:
        process.kill()
        process.wait()
        listener.join(5)
        process.stdout.close()


def ended(command: Sequence[str], folder: Path, **environ: str) -> tuple[int, str]:
    """Run a command that should end by itself; its exit code and what it wrote."""
    result = subprocess.run(
        command, cwd=folder, env=CLEAN | environ, capture_output=True, text=True, timeout=30, check=False
    )
    return result.returncode, result.stdout + result.stderr
