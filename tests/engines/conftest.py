"""One backend, one page, three browsers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from absent import end_without, end_without_browser
from browsers import ENGINES, Browser, EngineMissing
from hostile import Batch, Sink, live_numbers, read_answers, tell_all
from site_server import Site, serving
from stack import HOST, free_port, running

HERE = Path(__file__).parent
_PATIENCE_S = 120.0


@dataclass
class Place:
    """Where the page and the backend are."""

    site: Site
    api: str
    sink: Sink
    control: Sink
    answers: list[str]
    batches: list[Batch] = field(default_factory=list)

    def hostile_query(self, number: int) -> str:
        """The page's options for a batch of hostile answers; the one after the last is asked for live."""
        if not self.batches:
            self.batches = tell_all(self.api, self.answers)
        if number < len(self.batches):
            return f"{self.batches[number].query}&api={self.api}"
        return f"suite=hostile&count=0&live={live_numbers(len(self.answers))}&api={self.api}"


@dataclass
class Engine:
    """A browser, and what the suites said that it has run already."""

    name: str
    browser: Browser
    place: Place
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)

    def report(self, query: str) -> dict[str, Any]:
        """What the page says with this query, after it has run to its end; it runs once."""
        if query not in self.reports:
            self.place.site.reports.clear()
            self.reports[query] = _run(self.browser, f"{self.place.site.address}/?{query}")
            self.reports[query]["reports"] = list(self.place.site.reports)
        return self.reports[query]


def _run(browser: Browser, url: str) -> dict[str, Any]:
    browser.open(url)
    deadline = time.monotonic() + _PATIENCE_S
    pressed = 0
    report: dict[str, Any] = {}
    while report.get("state") != "finished":
        if time.monotonic() > deadline:
            raise AssertionError(f"{url} did not come to its end: {report}")
        time.sleep(0.05)
        try:
            report = json.loads(browser.text("#report"))
        except (RuntimeError, ValueError):  # in the middle of a reload there is no such element
            continue
        if report.get("keys") and report["wanted"] > pressed:
            pressed = report["wanted"]
            browser.press(report["keys"])
    return report


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A backend with a scripted provider, and the page on an origin of its own."""
    folder = tmp_path_factory.mktemp("engines")
    port, backend_port = free_port(), free_port()
    sink = Sink()
    answers, file = read_answers(sink.address), folder / "hostile.json"
    file.write_text(json.dumps(answers), "utf-8")
    environ = {
        "CHATBUBBLE_ALLOWED_ORIGINS": f"http://{HOST}:{port}",
        "CHATBUBBLE_DATABASE_URL": f"sqlite:///{folder}/chat.db",
        "CHATBUBBLE_RATE_LIMIT": "off",
        "CHATBUBBLE_DRAIN_S": "1",
        "HOSTILE_ANSWERS": str(file),
    }
    api = f"http://{HOST}:{backend_port}/api/ai"
    command = ("-m", "chatbubble.cli", "serve", "--port", str(backend_port), "--app", "tests.engines.scripted:app")
    with ExitStack() as ending:
        ending.enter_context(running(*command, ready=f"{api}/healthz", **environ))
        ending.enter_context(sink.listening())
        control = ending.enter_context(Sink().listening())
        site = ending.enter_context(serving(port, f"http://{HOST}:{backend_port}"))
        yield Place(site, api, sink, control, answers)


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest, place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One of the three, started."""
    with ExitStack() as ending:
        try:
            browser = ending.enter_context(ENGINES[request.param](tmp_path_factory.mktemp(request.param)))
        except EngineMissing as missing:
            (end_without_browser if request.param == "firefox" else end_without)(f"{request.param}: {missing}")
        yield Engine(request.param, browser, place)
