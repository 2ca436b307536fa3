"""What a server does with three times as many visitors as it has room for.

    python tests/bench/overload.py --streams 100 --seconds 12

The promise: at nine tenths of its connection slots a process answers 503 with Retry-After in under 50 ms, goes on
telling its health, and whoever was let in is answered within twice the time that the slowest hundredth takes otherwise.
A server of its own, with room for so many streams, is asked by as many visitors as it has room for, first; then by
three times as many, each of whom comes again as soon as the server has told it when. All that is measured here is
measured by a client that has to share the machine with the server; look at the ratio.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402 -- patching comes first
import http.client  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import secrets  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections import Counter  # noqa: E402
from pathlib import Path  # noqa: E402

import gevent  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))

from model_server import ModelServer  # noqa: E402

WORDS, PAUSE_MS = 10, 100
EXPECTED = "".join(f"word{n} " for n in range(1, WORDS + 1))


class Figures:
    """What the visitors of one round went through, in milliseconds."""

    def __init__(self) -> None:
        self.answers: list[float] = []
        self.refusals: list[float] = []
        self.health: list[float] = []
        self.faults: Counter[str] = Counter()


def visit(port: int, figures: Figures, ends_at: float) -> None:
    """Ask, again and again; a refusal is obeyed, but for no longer than half a second."""
    while time.perf_counter() < ends_at:
        body = {"message": f"answer: {WORDS} tokens at {PAUSE_MS} ms", "sessionId": secrets.token_urlsafe(24)}
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        began = time.perf_counter()
        connection.request("POST", "/api/ai/chat", json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        told = response.read()
        took_ms = (time.perf_counter() - began) * 1000
        connection.close()
        if response.status == 200:
            figures.answers.append(took_ms)
            figures.faults["answers that are not whole"] += json.dumps(EXPECTED).encode() not in told
        elif response.status == 503 and response.headers["Retry-After"]:
            figures.refusals.append(took_ms)
            gevent.sleep(0.5)
        else:
            figures.faults[f"status {response.status}"] += 1


def watch(port: int, figures: Figures, ends_at: float) -> None:
    """Ask for the server's health, ten times a second."""
    while time.perf_counter() < ends_at:
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/api/ai/healthz")
        figures.faults["bad health"] += connection.getresponse().status != 200
        figures.health.append((time.perf_counter() - began) * 1000)
        connection.close()
        gevent.sleep(0.1)


def measure(port: int, visitors: int, seconds: float) -> Figures:
    """One round with so many visitors."""
    figures, ends_at = Figures(), time.perf_counter() + seconds
    busy = [gevent.spawn(watch, port, figures, ends_at)]
    for _ in range(visitors):
        busy.append(gevent.spawn(visit, port, figures, ends_at))
        gevent.sleep(1 / visitors)
    gevent.joinall(busy)
    return figures


def describe(values: list[float]) -> str:
    """The quantiles that matter."""
    ordered = sorted(values)
    places = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return ", ".join(f"{name} {at(ordered, place):.1f} ms" for name, place in places.items()) if ordered else "none"


def at(values: list[float], place: float) -> float:
    """A quantile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * place))]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="A server with three times the visitors it has room for.")
    parser.add_argument("--streams", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=6.0)
    chosen = parser.parse_args()
    model = ModelServer()
    model.start()
    with tempfile.TemporaryDirectory() as folder:
        environ = {
            "CHATBUBBLE_MAX_STREAMS": str(chosen.streams),
            "CHATBUBBLE_RATE_LIMIT": "off",
            "CHATBUBBLE_PROVIDER": "openai",
            "CHATBUBBLE_LOG_LEVEL": "warning",
            "OPENAI_API_KEY": "sk-bench",
            "OPENAI_BASE_URL": model.base_url,
        }
        server, port = start(folder, environ)
        try:
            report(chosen.streams, chosen.seconds, port)
        finally:
            server.kill()
            server.wait()


def start(folder: str, environ: dict[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    """A server of its own, and its port."""
    port = 20_000 + secrets.randbelow(10_000)
    command = [sys.executable, "-m", "chatbubble.cli", "serve", "--port", str(port)]
    server = subprocess.Popen(command, cwd=folder, env={**os.environ, **environ}, stdout=subprocess.DEVNULL)
    while True:
        try:
            http.client.HTTPConnection("127.0.0.1", port).connect()
        except ConnectionRefusedError:
            if server.poll() is not None:
                raise SystemExit("the server has ended") from None
            time.sleep(0.05)
        else:
            return server, port


def report(streams: int, seconds: float, port: int) -> None:
    """Both rounds."""
    normal, crowded = measure(port, streams, seconds), measure(port, 3 * streams, seconds)
    print(f"{streams} streams, as many visitors: answers {describe(normal.answers)}; {len(normal.refusals)} refused")
    print(f"three times as many:  answers {describe(crowded.answers)}; {len(crowded.refusals)} refused")
    print(f"  refusals: {describe(crowded.refusals)}")
    print(f"  health:   {describe(crowded.health)}")
    ratio = at(crowded.answers, 0.99) / at(normal.answers, 0.99)
    print(f"  p99 of answers, against that of as many as there is room for: {ratio:.2f}")
    print(f"  faults: {dict(+(normal.faults + crowded.faults)) or 'none'}")


if __name__ == "__main__":
    main()
