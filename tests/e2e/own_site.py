"""A site of somebody's own beside the shop, whose origin the backend allows: its pages are what a test says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from playwright.sync_api import Page
from stack import HOST, Stack

_TYPES = {"js": "text/javascript", "mjs": "text/javascript"}


class OwnSite:
    """`files` holds what is served, by path; `page` writes the one at `/`."""

    def __init__(self, stack: Stack) -> None:
        self.origin = stack.own_site
        self.endpoint = f"{stack.widget_origin}/api/ai"
        self.files: dict[str, str] = {}

    def page(self, *parts: str) -> str:
        """Make the page at `/` of these parts; returns its address."""
        head = "<!doctype html><html lang=en><link rel=icon href=data:,><title>Own</title><body>"
        self.files["/"] = head + "".join(parts)
        return self.origin + "/"

    def tag(self, attributes: str = "") -> str:
        """The script tag as a site owner pastes it."""
        return f'<script async src="{self.endpoint}/widget.js" {attributes}></script>'


@contextmanager
def serving(stack: Stack) -> Iterator[OwnSite]:
    """The site, for as long as it is needed."""
    site = OwnSite(stack)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = site.files.get(self.path)
            self.send_response(404 if body is None else 200)
            kind = _TYPES.get(self.path.rpartition(".")[2], "text/html")
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.end_headers()
            self.wfile.write((body or "").encode())

        def log_message(self, *_: object) -> None:
            """Nothing to tell."""

    server = ThreadingHTTPServer((HOST, stack.own_port), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield site
    server.shutdown()
    server.server_close()


# Before the tag: calls wait for the bubble.
QUEUE = "window.Chatbubble ||= (...call) => (Chatbubble.q ??= []).push(call);"
EVENTS = ["ready", "open", "close", "send", "token", "answer", "error", "reconnect", "feedback", "unread"]
# Writes down what a listener is told, as [name, detail].
RECORD = """window.told = [];
window.record = (name) => (detail) => told.push([name, structuredClone(detail)]);"""
RECORD_ALL = f"{RECORD}\nfor (const name of {EVENTS}) Chatbubble('on', name, record(name));"
MOUNT = "window.chat = mount();"


def names(page: Page) -> list[str]:
    """What was told so far, each name once where it came several times in a row."""
    told: list[str] = page.evaluate("() => told.map(([name]) => name)")
    return [name for at, name in enumerate(told) if at == 0 or told[at - 1] != name]


def details(page: Page, name: str) -> list[dict[str, Any]]:
    """The details of all events of one name."""
    found: list[dict[str, Any]] = page.evaluate("(name) => told.filter(([it]) => it === name).map((it) => it[1])", name)
    return found


def wait_for(page: Page, name: str, count: int = 1) -> None:
    """Wait until an event was told so many times."""
    page.wait_for_function("([name, count]) => told.filter(([it]) => it === name).length >= count", arg=[name, count])
