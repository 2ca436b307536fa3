"""What `make run` runs: the backend and the demo shop, on two origins, until Ctrl-C.

PORT (8000) and SITE_PORT (8080) choose the ports. One that was chosen has to be free;
a default that is taken gives way to the next free port.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import gevent
from gevent import socket, subprocess
from gevent.event import Event
from gevent.pywsgi import WSGIServer
from server import create_site

HOST = "127.0.0.1"
HERE = Path(__file__).resolve().parent
CLI = (sys.executable, "-m", "chatbubble.cli")

_PORTS_TRIED = 50
_START_S = 30.0
_SAME_STOP_S = 1.0  # one Ctrl-C can arrive twice, by way of `make`


class CannotRunError(Exception):
    """Why the demo cannot start or go on, in one line for the terminal."""


class Stop:
    """Ctrl-C, SIGTERM or a closed terminal: the first asks to stop, a later one insists."""

    def __init__(self) -> None:
        self.asked = Event()
        self.insisted = Event()
        self._asked_at = 0.0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            gevent.signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        if not self.asked.is_set():
            self._asked_at = time.monotonic()
            self.asked.set()
        elif time.monotonic() - self._asked_at > _SAME_STOP_S:
            self.insisted.set()


def main() -> int:
    """Run both until told to stop; returns the exit code, 0 after a clean stop."""
    stop = Stop()
    try:
        run(stop)
    except CannotRunError as reason:
        print(reason, file=sys.stderr, flush=True)
        return 1
    return 0


def run(stop: Stop) -> None:
    """Start both, say where they are, and stop both. Raises CannotRunError."""
    backend_listener = listen("PORT", 8000)
    site_listener = listen("SITE_PORT", 8080)
    backend_port, site_port = (each.getsockname()[1] for each in (backend_listener, site_listener))
    origin = f"http://{HOST}:{backend_port}"
    settings = environment(backend_port, site_port)
    prefix = settings.get("CHATBUBBLE_URL_PREFIX", "/api/ai").rstrip("/")
    answers = who_answers(settings)
    site = WSGIServer(site_listener, create_site(origin, prefix), log=None)
    backend_listener.close()  # held until now, so that the site could not take its port
    backend = Backend(backend_port, settings)
    try:
        if backend.is_healthy_soon(f"{origin}{prefix}/healthz", stop.asked):
            site.start()
            print(banner(f"http://{HOST}:{site_port}", origin, answers), flush=True)
            gevent.wait([stop.asked, backend.ended], count=1)
            backend.check_alive()
    finally:
        site.stop()
        backend.stop(stop.insisted)
    print("Stopped.", flush=True)


def listen(name: str, default: int) -> socket.socket:
    """A listening socket on the port that the variable `name` asks for, or near the default."""
    given = os.environ.get(name, "").strip()
    if given and not (given.isascii() and given.isdigit() and 0 < int(given) < 65536):
        raise CannotRunError(f"{name} should be a port from 1 to 65535, but it is {given!r:.40}.")
    wanted = int(given or default)
    for port in [wanted] if given else range(wanted, wanted + _PORTS_TRIED):
        if listener := _try_to_listen(port):
            if port != wanted:
                print(f"Port {wanted} is taken, using {port} instead. {name}=... chooses another.", flush=True)
            return listener
    if given:
        raise CannotRunError(f"Port {wanted} is taken. Free it, or choose another: {name}={wanted + 1} make run")
    raise CannotRunError(f"Ports {wanted} to {wanted + _PORTS_TRIED - 1} are all taken. Choose another with {name}=...")


def _try_to_listen(port: int) -> socket.socket | None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError:
        listener.close()
        return None
    return listener


def environment(port: int, site_port: int) -> dict[str, str]:
    """The backend's environment: ours, the site's two origins allowed, a database of the demo's own.

    The database goes with the port: a second demo beside the first must not take its running answers for lost ones.
    """
    settings = dict(os.environ)
    allowed = [settings.get("CHATBUBBLE_ALLOWED_ORIGINS", "")]
    allowed += [f"http://{host}:{site_port}" for host in (HOST, "localhost")]
    settings["CHATBUBBLE_ALLOWED_ORIGINS"] = ",".join(filter(None, allowed))
    settings.setdefault("CHATBUBBLE_DATABASE_URL", f"sqlite:///{HERE / f'chatbubble-demo-{port}.db'}")
    return settings


def who_answers(settings: Mapping[str, str]) -> str:
    """Who will answer with these settings, in a line for people."""
    asked = subprocess.run(
        [*CLI, "config"], env=settings, capture_output=True, text=True, start_new_session=True, check=False
    )
    if asked.returncode:
        raise CannotRunError(asked.stderr.strip() or f"`chatbubble config` failed with code {asked.returncode}.")
    match = re.search(r"^Answers come from: (\S+) \((.*)\)$", asked.stdout, re.MULTILINE)
    name, model = match.groups() if match else ("unknown", "unknown")
    if name == "demo":
        return "demo mode: prepared answers, no model. To use one: OPENAI_API_KEY=sk-... make run"
    where = urlsplit(settings.get("OPENAI_BASE_URL", "")).hostname or "api.openai.com"
    return f"{model} at {where}" if name == "openai" else f"{name} ({model})"


class Backend:
    """`chatbubble serve` in a process of its own, out of reach of this terminal's Ctrl-C: we tell it when to stop."""

    def __init__(self, port: int, settings: Mapping[str, str]) -> None:
        command = [*CLI, "serve", "--host", HOST, "--port", str(port)]
        self._process = subprocess.Popen(command, env=settings, start_new_session=True)
        self.ended = Event()
        gevent.spawn(self._process.wait).link(lambda _: self.ended.set())

    def is_healthy_soon(self, url: str, asked_to_stop: Event) -> bool:
        """Wait until the backend says it is ready; False when asked to stop meanwhile."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + _START_S
        while not asked_to_stop.is_set():
            self.check_alive()
            try:
                with direct.open(url, timeout=2):
                    return True
            except OSError as failure:
                if time.monotonic() > deadline:
                    raise CannotRunError(f"The backend is not ready after {_START_S:.0f} s: {failure}") from None
            asked_to_stop.wait(0.1)
        return False

    def check_alive(self) -> None:
        """Raise CannotRunError when the process is over."""
        if self.ended.is_set():
            code = self._process.returncode
            raise CannotRunError(f"The backend stopped by itself with exit code {code}; it said why above.")

    def stop(self, insisted: Event) -> None:
        """Let running answers finish, as CHATBUBBLE_DRAIN_S allows; end at once when somebody insists."""
        if not self.ended.is_set():
            self._process.terminate()
        if not self.ended.wait(timeout=1):
            print("Stopping: running answers get a moment to finish. Ctrl-C again ends them.", flush=True)
        gevent.wait([self.ended, insisted], count=1)
        if not self.ended.is_set():
            self._process.kill()
            self.ended.wait()


def banner(site: str, backend: str, answers: str) -> str:
    """What to open, and what to expect there."""
    return (
        f"\n  The shop      {site}   <- open this; the bubble is in the corner"
        f"\n  The backend   {backend}"
        f"\n  Answers from  {answers}"
        f"\n\n  Ctrl-C stops both.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
