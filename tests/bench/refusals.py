"""What it costs a server to refuse: so many questions too much a second, from one address, each by a new visitor.

    python tests/bench/refusals.py --seconds 4 --rate 2000

The promise: at 2,000 refused questions a second the slowest hundredth is refused within 5 ms. Each is sent at its time,
whether those before it were answered or not, and counted from that time. The client is a process of its own, on the
same machine.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402 -- patching comes first
import json  # noqa: E402
import os  # noqa: E402
import secrets  # noqa: E402
import socket  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections import Counter  # noqa: E402
from pathlib import Path  # noqa: E402

import gevent  # noqa: E402
from overload import at, describe, start  # noqa: E402

CONNECTIONS = 40


def question() -> bytes:
    """A request of a visitor whom nobody has seen before."""
    body = {"message": "Hello?", "sessionId": secrets.token_urlsafe(24), "requestId": secrets.token_hex(8)}
    text = json.dumps(body).encode()
    head = ["POST /api/ai/chat HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    return "\r\n".join([*head, f"Content-Length: {len(text)}", "", ""]).encode() + text


def use_up(port: int) -> None:
    """Ask the one question that is answered, and read its answer to the end."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(question().replace(b"HTTP/1.1\r\n", b"HTTP/1.0\r\n"))
        while connection.recv(65_536):
            pass


def read_answer(connection: socket.socket) -> bytes:
    """One whole answer that says how long it is."""
    told = b""
    while b"\r\n\r\n" not in told:
        told += receive(connection)
    head, _, body = told.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += receive(connection)
    return head


def receive(connection: socket.socket) -> bytes:
    """Some bytes, at least one."""
    data = connection.recv(65_536)
    if not data:
        raise ConnectionError("the server closed the connection")
    return data


def ask_on(port: int, times: list[float], took_ms: list[float], statuses: Counter[str]) -> None:
    """Ask at these times, on one connection."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for due in times:
            gevent.sleep(max(0, due - time.perf_counter()))
            connection.sendall(question())
            head = read_answer(connection)
            took_ms.append((time.perf_counter() - due) * 1000)
            statuses[head[9:12].decode()] += b"\r\nRetry-After:" in head


def processor_s(pid: int) -> float:
    """Processor time that a process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(port: int, rate: int, seconds: float) -> tuple[list[float], Counter[str]]:
    """Ask so often, for so long; what each took, and how many had which status with a Retry-After."""
    took_ms: list[float] = []
    statuses: Counter[str] = Counter()
    began = time.perf_counter() + 0.2
    every = [
        [began + number / rate for number in range(start, int(rate * seconds), CONNECTIONS)]
        for start in range(CONNECTIONS)
    ]
    gevent.joinall([gevent.spawn(ask_on, port, times, took_ms, statuses) for times in every], raise_error=True)
    return took_ms, statuses


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Refused questions, and how long each takes.")
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--redis", default="", help="count in this Redis instead of in the process's memory")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environ = {
            "CHATBUBBLE_ADDRESS_RATE_LIMIT": "1/day",
            "CHATBUBBLE_REDIS_URL": chosen.redis,
            "CHATBUBBLE_REDIS_PREFIX": f"bench-{secrets.token_hex(4)}:",
            "CHATBUBBLE_PROVIDER": "demo",
            "CHATBUBBLE_LOG_LEVEL": "warning",
        }
        server, port = start(folder, environ)
        try:
            use_up(port)
            measure(port, 100, 1)
            spent_s = processor_s(server.pid)
            took_ms, statuses = measure(port, chosen.rate, chosen.seconds)
            spent_s = processor_s(server.pid) - spent_s
        finally:
            server.kill()
            server.wait()
    print(f"{chosen.rate} refused questions a second: {describe(took_ms)}; p99.9 {at(took_ms, 0.999):.1f} ms")
    print(
        f"  with Retry-After: {dict(statuses)}; processor time of the server {spent_s / len(took_ms) * 1e6:.0f} µs each"
    )


if __name__ == "__main__":
    main()
