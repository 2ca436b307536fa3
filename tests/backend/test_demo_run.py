"""`make run`, as a person meets it: two addresses, who answers, taken ports, Ctrl-C."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 30.0

Start = Callable[..., "Demo"]


class Demo:
    """A started `demo-site/run.py`; `output` is all that it has printed so far."""

    def __init__(self, environ: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "demo-site/run.py"], cwd=ROOT, env=environ, stdout=output, stderr=subprocess.STDOUT
            )

    @property
    def output(self) -> str:
        return self._log.read_text("utf-8")

    def wait_for(self, words: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.02)

    def end(self) -> int:
        """The exit code, once it has ended; it never ends in a traceback."""
        code = self.process.wait(PATIENCE_S)
        assert "Traceback" not in self.output
        return code

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.end()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the demo with the given variables and a database of its own."""
    started: list[Demo] = []

    def run(**variables: str) -> Demo:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CHATBUBBLE_", "OPENAI_")) and name not in {"PORT", "SITE_PORT"}
        }
        path = os.pathsep.join(filter(None, [str(ROOT / "backend"), inherited.get("PYTHONPATH", "")]))
        database = f"sqlite:///{tmp_path / 'demo.db'}"
        environ = inherited | {"PYTHONPATH": path, "CHATBUBBLE_DATABASE_URL": database} | variables
        started.append(Demo(environ, tmp_path / f"output-{len(started)}"))
        return started[-1]

    yield run
    for demo in started:
        if demo.process.poll() is None:
            demo.process.terminate()
            demo.process.wait(PATIENCE_S)


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def taken(port: int) -> Iterator[None]:
    """Holds a port, or finds that somebody else does."""
    try:
        with closing(socket.create_server(("127.0.0.1", port))):
            yield
    except OSError:
        yield


def get(port: int, path: str) -> tuple[int, http.client.HTTPMessage, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()


def begin_to_ask(port: int, origin: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """Ask for a long answer from a page of `origin`; the connection is the caller's to close."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    body = json.dumps({"message": "Tell me a long story", "sessionId": "s" * 32})
    headers = {"Content-Type": "application/json", "Origin": origin}
    connection.request("POST", "/api/ai/chat", body, headers)
    return connection, connection.getresponse()


def is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_it_prints_both_addresses_and_what_answers_and_both_do(start: Start) -> None:
    port, site_port = free_port(), free_port()
    demo = start(PORT=str(port), SITE_PORT=str(site_port))
    demo.wait_for("Ctrl-C stops both")
    assert f"http://127.0.0.1:{site_port} " in demo.output
    assert f"http://127.0.0.1:{port}\n" in demo.output
    assert "demo mode" in demo.output
    assert "OPENAI_API_KEY=sk-... make run" in demo.output
    status, headers, text = get(site_port, "/")
    assert status == 200
    assert f'src="http://127.0.0.1:{port}/api/ai/widget.js"' in text
    assert f"script-src http://127.0.0.1:{port};" in headers["Content-Security-Policy"]
    assert get(port, "/api/ai/healthz")[0] == 200
    assert get(port, "/api/ai/widget.js")[0] == 200
    assert demo.stop() == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_site_may_ask_under_both_of_its_names(start: Start, host: str) -> None:
    port, site_port = free_port(), free_port()
    demo = start(PORT=str(port), SITE_PORT=str(site_port), CHATBUBBLE_DRAIN_S="0")
    demo.wait_for("Ctrl-C stops both")
    connection, response = begin_to_ask(port, f"http://{host}:{site_port}")
    with closing(connection), response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
    assert demo.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_both_cleanly(start: Start, number: int) -> None:
    port, site_port = free_port(), free_port()
    demo = start(PORT=str(port), SITE_PORT=str(site_port))
    demo.wait_for("Ctrl-C stops both")
    assert demo.stop(number) == 0
    assert demo.output.endswith("Stopped.\n")
    assert is_free(port)
    assert is_free(site_port)


def test_ctrl_c_before_it_is_ready_stops_it_too(start: Start) -> None:
    port = free_port()
    demo = start(PORT=str(port), SITE_PORT=str(free_port()))
    demo.wait_for("answers come from")
    assert demo.stop() == 0
    assert is_free(port)


def test_a_second_ctrl_c_does_not_wait_for_running_answers(start: Start) -> None:
    port, site_port = free_port(), free_port()
    demo = start(PORT=str(port), SITE_PORT=str(site_port), CHATBUBBLE_DRAIN_S="60")
    demo.wait_for("Ctrl-C stops both")
    connection, response = begin_to_ask(port, f"http://127.0.0.1:{site_port}")
    with closing(connection), response:
        demo.process.send_signal(signal.SIGINT)
        demo.wait_for("Ctrl-C again ends them")
        asked_again = time.monotonic()
        assert demo.stop() == 0
    assert time.monotonic() - asked_again < 5
    assert is_free(port)


@pytest.mark.parametrize("name", ["PORT", "SITE_PORT"])
def test_a_chosen_port_that_is_taken_ends_it_with_a_line_that_names_the_variable(start: Start, name: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as holder:
        port = holder.getsockname()[1]
        others = {"PORT": str(free_port()), "SITE_PORT": str(free_port())}
        demo = start(**(others | {name: str(port)}))
        assert demo.end() == 1
    assert demo.output == f"Port {port} is taken. Free it, or choose another: {name}={port + 1} make run\n"


def test_a_default_port_that_is_taken_gives_way_to_the_next_free_one(start: Start) -> None:
    with taken(8000), taken(8080):
        demo = start()
        demo.wait_for("Ctrl-C stops both")
        assert "Port 8000 is taken, using 80" in demo.output
        assert "PORT=... chooses another." in demo.output
        assert "Port 8080 is taken, using 80" in demo.output
        assert "SITE_PORT=... chooses another." in demo.output
        assert demo.stop() == 0


@pytest.mark.parametrize("port", ["0", "65536", "http", "80 80", "-1"])
def test_a_port_that_is_none_is_refused_by_name(start: Start, port: str) -> None:
    demo = start(SITE_PORT=port, PORT=str(free_port()))
    assert demo.end() == 1
    assert demo.output == f"SITE_PORT should be a port from 1 to 65535, but it is {port!r}.\n"


def test_a_malformed_setting_is_named_before_anything_starts(start: Start) -> None:
    demo = start(PORT=str(free_port()), SITE_PORT=str(free_port()), CHATBUBBLE_MAX_TOKENS="many")
    assert demo.end() == 1
    assert "CHATBUBBLE_MAX_TOKENS should be a whole number" in demo.output


def test_with_a_key_it_names_the_model_and_where_it_is(start: Start) -> None:
    model = {"OPENAI_API_KEY": "sk-not-shown", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "CHATBUBBLE_MODEL": "owl-2"}
    demo = start(PORT=str(free_port()), SITE_PORT=str(free_port()), **model)
    demo.wait_for("Ctrl-C stops both")
    assert "Answers from  owl-2 at 127.0.0.1" in demo.output
    assert "sk-not-shown" not in demo.output
    assert demo.stop() == 0


def test_when_the_backend_dies_it_says_so_and_stops(start: Start) -> None:
    demo = start(PORT=str(free_port()), SITE_PORT=str(free_port()))
    demo.wait_for("Ctrl-C stops both")
    (backend,) = Path(f"/proc/{demo.process.pid}/task/{demo.process.pid}/children").read_text("ascii").split()
    os.kill(int(backend), signal.SIGKILL)
    assert demo.end() == 1
    assert "The backend stopped by itself with exit code -9" in demo.output
