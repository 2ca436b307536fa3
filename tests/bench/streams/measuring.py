"""One run: a server of its own, a load, and what both took."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from contenders import Contender, NotRunnable, Place
from cores import load_cores, on_cores, server_cores
from loads import WARM_UP, Load
from proc_tree import family, processor_s, resident_bytes
from results import Figures
from shared_stores import SharedStores

HERE = Path(__file__).resolve().parent
_START_S = 60.0


@dataclass(frozen=True)
class Server:
    """One that runs."""

    pid: int
    port: int


class Bench:
    """The model and the shared stores, and the servers that come and go between them; in `folder`."""

    def __init__(self, folder: Path) -> None:
        _, self._files = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (self._files, self._files))
        self._folder = folder
        self._started = ExitStack()
        self.stores = SharedStores(folder)
        self._started.callback(self.stores.close)
        with on_cores(load_cores()):
            command = [sys.executable, str(HERE / "standin_model.py")]
            self._model = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._started.callback(self._end_model)
        assert self._model.stdout is not None
        self.model = Server(self._model.pid, int(self._model.stdout.readline()))

    def close(self) -> None:
        """End all that runs."""
        self._started.close()

    def run(self, contender: Contender, load: Load) -> Figures:
        """Start the server, warm it up, put the load on it. Raises NotRunnable."""
        if self._files < load.files:
            raise NotRunnable(f"a process may open {self._files:,} files here, and needs {load.files:,}: ulimit -Hn")
        with self._server(contender) as server:
            if contender.launch is not None:
                self._ask(contender, server, WARM_UP, lambda _: None)
            return self._measure(contender, server, load)

    def _measure(self, contender: Contender, server: Server, load: Load) -> Figures:
        idle_bytes = resident_bytes(server.pid)
        clocks = {"began": self._clocks(server)}
        peak_bytes: list[int] = []

        def mark(word: str) -> None:
            if word == "peak":
                peak_bytes.append(resident_bytes(server.pid))
            clocks[word] = self._clocks(server)

        told = self._ask(contender, server, load, mark)
        took_s = [after - before for before, after in zip(clocks["began"], clocks["over"], strict=True)]
        told |= _shared_out(told, *took_s, has_stores=contender.has_stores)
        if peak_bytes:
            told["peak_mb"] = round(peak_bytes[0] / 1e6, 1)
            told["kb_per_stream"] = round((peak_bytes[0] - idle_bytes) / 1000 / told["streams"], 1)
        return told

    def _clocks(self, server: Server) -> tuple[float, float, float]:
        return processor_s(server.pid), processor_s(self.model.pid), self.stores.processor_s()

    def _ask(self, contender: Contender, server: Server, load: Load, mark: Callable[[str], None]) -> dict[str, Any]:
        """Have the load do its work; `mark` hears each of its words as they come."""
        order = {"wire": contender.wire, "port": server.port, "limit_s": load.limit_s, **load.order}
        with on_cores(load_cores()):
            command = [sys.executable, str(HERE / load.script)]
            asking = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert asking.stdin is not None
        assert asking.stdout is not None
        with asking:
            asking.stdin.write(json.dumps(order))
            asking.stdin.close()
            for line in asking.stdout:
                if line.startswith("{"):
                    told: dict[str, Any] = json.loads(line)
                    return told
                mark(line.strip())
        raise RuntimeError(f"the load {load.name} ended without a word")

    @contextmanager
    def _server(self, contender: Contender) -> Iterator[Server]:
        if contender.launch is None:
            yield self.model
            return
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            place = Place(Path(folder), _free_port(), self.model.port, self.stores)
            launch = contender.launch(place)
            log = Path(folder) / "server.log"
            with on_cores(server_cores(contender.workers)), log.open("wb") as out:
                process = subprocess.Popen(
                    launch.command, cwd=folder, env=os.environ | launch.environ, stdout=out, stderr=out
                )
            try:
                _await(process, place.port, contender, log)
                yield Server(process.pid, place.port)
            finally:
                _end(process)

    def _end_model(self) -> None:
        assert self._model.stdin is not None
        self._model.stdin.close()
        self._model.wait(10)


def _shared_out(told: Figures, server_s: float, model_s: float, stores_s: float, *, has_stores: bool) -> Figures:
    """Processor times, for each token and as shares of a core."""
    shares = {
        "model_share": round(model_s / told["took_s"], 3),
        "load_share": round(told["load_s"] / told["took_s"], 3),
    }
    delivered = told.get("delivered")
    if not delivered:
        return shares
    costs = {"cpu_us": round(server_s / delivered * 1e6, 2)}
    if has_stores:
        costs["stores_us"] = round(stores_s / delivered * 1e6, 2)
    return costs | shares


def _await(process: subprocess.Popen[bytes], port: int, contender: Contender, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        with suppress(OSError, HTTPException):  # it does not listen yet, or not all of it
            socket.create_connection(("127.0.0.1", port)).close()
            if contender.is_ready(port):
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotRunnable(f"it did not start: {log.read_text('utf-8', 'replace').strip()[-300:]}")
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it has started, at once: what is still running is nobody's any more."""
    for pid in family(process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
