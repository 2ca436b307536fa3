"""How long anybody waits for `chatbubble serve`, a process of its own with the demo provider's
place taken by a scripted model server.

    PYTHONPATH=backend python tests/bench/stream_waits.py

- first event: from sending `POST /chat` to `connected`, one at a time, and 50 at once (50 ms promised)
- stop: from `POST /chat/<streamId>/abort` to the model's server losing its connection (100 ms promised)
- replay: how long `/healthz` takes while 20 readers are told a 14 MB answer as fast as they
  can take it (50 ms promised); the readers are a process of their own
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import statistics  # noqa: E402 -- patching comes first
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

import gevent  # noqa: E402

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "backend"), str(TESTS / "fixtures")]

from model_server import ModelServer  # noqa: E402
from model_steps import DONE, chunk, delta, end, finish, head  # noqa: E402
from process import ServerProcess  # noqa: E402
from stream_client import Connection, Visitor, close_all  # noqa: E402

READERS = 20
LONG_ANSWER = [
    head(),
    *[chunk(delta("\u4e2d\U0001f600 " * 400)) for _ in range(1200)],
    chunk(finish()),
    chunk(DONE),
    end(),
]


def describe(waits_s: list[float]) -> str:
    """Median and maximum."""
    return f"p50 {statistics.median(waits_s) * 1000:.1f} ms, max {max(waits_s) * 1000:.1f} ms, of {len(waits_s)}"


def first_event(port: int) -> float:
    """Seconds to the first event of a new visitor's question."""
    visitor = Visitor(port)
    connection = Connection(port)
    began = time.perf_counter()
    body = {"message": "stall", "sessionId": visitor.session}
    connection.request("POST", "/api/ai/chat", body=body).next_event()
    took_s = time.perf_counter() - began
    connection.close()
    return took_s


def stop(port: int, model: ModelServer, number: int) -> float:
    """Seconds from asking to stop until the model's server notices."""
    visitor = Visitor(port)
    question = f"answer: {1000 + number} tokens at 5 ms"
    reply = visitor.ask(question)
    stream_id = reply.next_event().data["streamId"]
    reply.next_event()
    began = time.monotonic()
    visitor.abort(stream_id)
    return next(asked for asked in model.requests if asked.question == question).wait_closed() - began


def replay(port: int, model: ModelServer) -> list[float]:
    """Seconds that each look at the server's health took while others replayed."""
    model.script("gpt-4o-mini", LONG_ANSWER)
    visitor = Visitor(port)
    stream_id = visitor.ask().until_end()[0].data["streamId"]
    command = [sys.executable, __file__, "read", str(port), visitor.session, stream_id]
    waits = []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as readers:
        assert readers.stdout is not None
        readers.stdout.readline()
        with Connection(port) as connection:
            while readers.poll() is None:
                began = time.perf_counter()
                connection.request("GET", "/api/ai/healthz").read()
                waits.append(time.perf_counter() - began)
                gevent.sleep(0.001)
    return waits


def read(port: int, session: str, stream_id: str) -> None:
    """Be the readers: take everything, look at nothing."""
    replies = [Visitor(port, session).resume(stream_id) for _ in range(READERS)]
    sys.stdout.write("reading\n")
    sys.stdout.flush()

    def drain(number: int) -> None:
        wire = replies[number].connection.socket
        while not wire.recv(1_048_576).endswith(b"0\r\n\r\n"):
            pass

    gevent.joinall([gevent.spawn(drain, number) for number in range(READERS)], raise_error=True)


def main() -> None:
    """Measure and print."""
    model = ModelServer()
    model.start()
    with tempfile.TemporaryDirectory() as folder:
        environ = {"CHATBUBBLE_RATE_LIMIT": "off", "OPENAI_API_KEY": "sk-bench", "OPENAI_BASE_URL": model.base_url}
        server = ServerProcess(Path(folder), environ)
        try:
            first_event(server.port)
            print(f"first event, one at a time: {describe([first_event(server.port) for _ in range(100)])}")
            asking = [gevent.spawn(first_event, server.port) for _ in range(50)]
            print(f"first event, 50 at once:    {describe([greenlet.get() for greenlet in asking])}")
            print(f"stop:                       {describe([stop(server.port, model, number) for number in range(50)])}")
            print(f"health during replays:      {describe(replay(server.port, model))}")
        finally:
            close_all()
            server.kill()
            model.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["read"]:
        read(int(sys.argv[2]), sys.argv[3], sys.argv[4])
    else:
        main()
