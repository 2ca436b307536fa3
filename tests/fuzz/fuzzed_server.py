"""The server that is fuzzed: `chatbubble serve` as a process of its own, and what it weighs."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fronts import free_port
from launching import CLEAN, SERVE
from raw_http import call
from request_seeds import OPERATOR_TOKEN, SHOP

HERE = Path(__file__).resolve().parent
_START_S = 30.0


class FuzzedServer:
    """One that listens on `port`; it logs warnings and worse."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.port = port
        self._process, self._log = process, log

    @property
    def resident_mb(self) -> float:
        """The memory that it holds now."""
        status = Path(f"/proc/{self._process.pid}/status").read_text("ascii")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found, status
        return int(found[1]) / 1024

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text("utf-8")

    @property
    def complaints(self) -> list[str]:
        """What it has logged of faults of its own."""
        return [line for line in self.log.splitlines() if " ERROR " in line or "Traceback" in line]

    def await_start(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + _START_S
        while True:
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, f"it does not listen: {self.log}"
            try:
                assert call(self.port, "GET", "/api/ai/healthz").status == 200
            except ConnectionError:
                time.sleep(0.02)
            else:
                return


@contextmanager
def fuzzed_server(folder: Path, **settings: str) -> Iterator[FuzzedServer]:
    """A server that keeps nothing longer than it has to, so that what grows does so by mistake."""
    chosen = {
        "database_url": f"sqlite:///{folder}/chat.db",
        "rate_limit": "off",
        "allowed_origins": SHOP,
        "operator_token": OPERATOR_TOKEN,
        "identity_secret": "secret-of-the-fuzz-that-is-long-enough",
        "stream_ttl_s": "10",
        "trusted_proxies": "1",
        "redact": "on",
        "log_level": "warning",
        **settings,
    }
    environ = {f"CHATBUBBLE_{name.upper()}": value for name, value in chosen.items()}
    port, log = free_port(), folder / "server.log"
    command = [*SERVE, "--port", str(port), "--app", "fuzzed_app:create"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=HERE, env=CLEAN | environ, stdout=out, stderr=out)
    try:
        server = FuzzedServer(process, port, log)
        server.await_start()
        yield server
    finally:
        process.terminate()
        process.wait(30)
