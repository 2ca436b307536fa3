"""The servers that are measured: how each is started, and how it is asked."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import toolchain
from shared_stores import SharedStores

ROOT = Path(__file__).resolve().parents[3]
REFERENCES = ROOT / "tests" / "bench" / "references"
OPERATOR_TOKEN = "operator-token-of-the-benchmark"  # noqa: S105 -- guards nothing


class NotRunnable(Exception):
    """A server cannot be started on this machine; the text says what is lacking."""


@dataclass(frozen=True)
class Place:
    """Where a server is to run: its own empty folder, its port, the model's, and what several processes share."""

    folder: Path
    port: int
    model_port: int
    stores: SharedStores

    @property
    def environ(self) -> dict[str, str]:
        """What every server is told that asks the model with the openai package."""
        return {"OPENAI_BASE_URL": f"http://127.0.0.1:{self.model_port}/v1", "OPENAI_API_KEY": "sk-bench"}


@dataclass(frozen=True)
class Launch:
    """A command, and what joins its environment."""

    command: list[str]
    environ: dict[str, str]


@dataclass(frozen=True)
class Contender:
    """One server.

    Attributes:
        title: what stands in the report.
        wire: how it is asked, see WIRES.
        launch: how it is started; raises NotRunnable. None: the model itself is asked.
        workers: its processes that answer; each is to have a core.
        has_stores: it has a Redis and a PostgreSQL beside it.
        is_ready: whether who listens on a port would answer now, with all its processes.
    """

    name: str
    title: str
    wire: str
    launch: Callable[[Place], Launch] | None
    workers: int = 1
    has_stores: bool = False
    is_ready: Callable[[int], bool] = lambda _: True


def _nginx(place: Place) -> Launch:
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise NotRunnable("this machine has no nginx")
    text = (REFERENCES / "nginx.conf").read_text("utf-8")
    names = {
        "@user": "user root" if os.geteuid() == 0 else "",
        "@model_port": str(place.model_port),
        "@port": str(place.port),
    }
    for name, value in names.items():
        text = text.replace(name, value)
    (place.folder / "nginx.conf").write_text(text.replace("\n;\n", "\n"), "utf-8")
    return Launch([program, "-p", str(place.folder), "-e", "nginx.log", "-c", "nginx.conf"], {})


def _express(place: Place) -> Launch:
    try:
        node, _ = toolchain.find_node()
        toolchain.fetch(everything=False, folder=REFERENCES)
    except toolchain.ToolMissing as missing:
        raise NotRunnable(str(missing)) from None
    environ = {"NODE_ENV": "production", "PORT": str(place.port)}
    return Launch([*node, str(REFERENCES / "express_server.js")], place.environ | environ)


def _fastapi(place: Place) -> Launch:
    _require("fastapi", "sse_starlette", "uvicorn", "uvloop", "httptools")
    chosen = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    where = ["--app-dir", str(REFERENCES), "--port", str(place.port)]
    return Launch([sys.executable, "-m", "uvicorn", "fastapi_server:app", *chosen, *where], place.environ)


def _flask(place: Place) -> Launch:
    return Launch([sys.executable, str(REFERENCES / "flask_server.py")], place.environ | {"PORT": str(place.port)})


def _require(*modules: str) -> None:
    lacking = [name for name in modules if importlib.util.find_spec(name) is None]
    if lacking:
        raise NotRunnable(f"not installed: {', '.join(lacking)}; pip install '.[bench]'")


def _chatbubble(place: Place) -> Launch:
    """As it comes, with room for the loads, and for as many questions as one likes."""
    settings = {
        "provider": "openai",
        "database_url": f"sqlite:///{place.folder}/chat.db",
        "rate_limit": "off",
        "max_tokens": "100000",  # its tokens are longer than a model's
        "max_streams": "20000",  # a tenth of them is kept free
        "log_bytes": str(2**30),
        "operator_token": OPERATOR_TOKEN,
    }
    return _serve(place, settings)


def _with_redis(workers: int) -> Callable[[Place], Launch]:
    def launch(place: Place) -> Launch:
        lacking = place.stores.lacking()
        if lacking:
            raise NotRunnable(lacking)
        settings = place.stores.settings() | {
            "provider": "openai",
            "rate_limit": "off",
            "max_tokens": "100000",
            "max_streams": "20000",
            "log_bytes": str(2**30),
            "operator_token": OPERATOR_TOKEN,
        }
        return _serve(place, settings, *(["--workers", str(workers)] if workers > 1 else []))

    return launch


def _sharing(name: str, title: str, workers: int) -> Contender:
    """Ours with so many processes; it is ready when each knows of all others."""

    def is_ready(port: int) -> bool:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/api/ai/stats", headers={"Authorization": f"Bearer {OPERATOR_TOKEN}"})
        response = connection.getresponse()
        told = json.loads(response.read())
        connection.close()
        return response.status == 200 and len(told["processes"]) == workers

    return Contender(name, title, "chatbubble", _with_redis(workers), workers, has_stores=True, is_ready=is_ready)


def _serve(place: Place, settings: dict[str, str], *options: str) -> Launch:
    environ = {f"CHATBUBBLE_{name.upper()}": value for name, value in settings.items()} | place.environ
    path = os.pathsep.join(filter(None, [str(ROOT / "backend"), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", "chatbubble.cli", "serve", "--port", str(place.port), *options]
    return Launch(command, environ | {"PYTHONPATH": path})


REDIS = "Chatbubble, Redis and PostgreSQL"
CONTENDERS = {
    each.name: each
    for each in (
        Contender("model", "the model itself, nobody between", "model", None),
        Contender("nginx", "nginx, raw relay", "model", _nginx),
        Contender("express", "Express + openai", "plain", _express),
        Contender("fastapi", "FastAPI + sse-starlette + openai", "plain", _fastapi),
        Contender("flask", "Flask + gevent + openai", "plain", _flask),
        Contender("chatbubble", "Chatbubble", "chatbubble", _chatbubble),
        _sharing("chatbubble-redis", REDIS, 1),
        _sharing("chatbubble-2", f"{REDIS}, 2 workers", 2),
        _sharing("chatbubble-4", f"{REDIS}, 4 workers", 4),
    )
}
