"""A real Redis for the tests: on a free port, in a folder of its own, ended with the test run."""

from __future__ import annotations

import atexit
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from absent import end_without

_START_S = 10.0
_shared: list[RedisServer] = []


class RedisServer:
    """One redis-server. It writes nothing to disk, unless `arguments` say so."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder, self._arguments = folder, arguments
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again after `stop`, and wait until it answers."""
        chosen = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen(
            ["redis-server", *chosen, "--enable-debug-command", "local", *self._arguments], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + _START_S
        while not self._answers():
            assert self.process.poll() is None, "redis-server ended"
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.01)

    def stop(self) -> None:
        """End it as the kernel does when memory runs out."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        """Let it hang: it accepts connections, and says nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End a pause."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def ask(self, *words: str) -> bytes:
        """One command by hand, apart from any client library; the raw answer's first bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            parts = [f"*{len(words)}", *(line for word in words for line in (f"${len(word.encode())}", word))]
            connection.sendall("".join(f"{part}\r\n" for part in parts).encode())
            return connection.recv(65_536)

    def keys(self, prefix: str) -> set[str]:
        """The names of all keys that begin so."""
        return {line for line in self.ask("KEYS", f"{prefix}*").decode().split("\r\n") if line.startswith(prefix)}

    def count_connections(self) -> int:
        """How many connections it has, without the one that asks."""
        return self.ask("CLIENT", "LIST").count(b" addr=") - 1

    def let_pass(self, prefix: str, seconds: float) -> None:
        """Have these keys be so much nearer to their end."""
        for key in self.keys(prefix):
            left_ms = int(self.ask("PTTL", key)[1:]) - int(seconds * 1000)
            self.ask("PEXPIRE", key, str(left_ms))

    def _answers(self) -> bool:
        try:
            return self.ask("PING").startswith(b"+PONG")
        except OSError:
            return False


def shared_redis() -> RedisServer:
    """The one that most tests use, each with a prefix of its own."""
    if not _shared:
        require_redis()
        folder = Path(tempfile.mkdtemp(prefix="chatbubble-redis-"))
        _shared.append(RedisServer(folder))
        _shared[0].start()
        atexit.register(_end_shared)
    return _shared[0]


@contextmanager
def own_redis(folder: Path, *arguments: str) -> Iterator[RedisServer]:
    """One that a test may break."""
    require_redis()
    server = RedisServer(folder, *arguments)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def require_redis() -> None:
    """Skips the test where the machine cannot have a Redis; where it could, its lack is a fault."""
    if not shutil.which("redis-server"):
        end_without("this machine has no redis-server")


def _end_shared() -> None:
    while _shared:
        server = _shared.pop()
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)
