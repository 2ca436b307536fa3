"""Pages of somebody else's: any HTML on a server of its own, whose origin a backend of its own lets in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page
from stack import HOST, Stack


class Guest:
    """A site of which each page is a text."""

    def __init__(self, stack: Stack, pages: dict[str, str]) -> None:
        self.stack = stack
        self.pages = pages
        self.script = f"{stack.widget_origin}/api/ai/widget.js"

    def tag(self, attributes: str = "") -> str:
        """The script tag."""
        return f'<script async src="{self.script}" {attributes}></script>'

    def put(self, body: str, *, html: str = "<html lang=en>", head: str = "", path: str = "/") -> str:
        """Make a page; returns its address."""
        self.pages[path] = (
            f"<!doctype html>{html}<head><link rel=icon href=data:,><title>Page</title>{head}</head><body>{body}"
        )
        return self.stack.site + path

    def open(self, context: BrowserContext, body: str, *, html: str = "<html lang=en>", head: str = "") -> Page:
        """Make a page, open it, and wait for the bubble."""
        page = context.new_page()
        page.goto(self.put(body, html=html, head=head))
        page.locator("chat-bubble").first.wait_for(state="attached", timeout=10_000)
        return page


@contextmanager
def guest_site(model_port: int, folder: Path) -> Iterator[Guest]:
    """A site and a backend for it, with the model that is there already."""
    stack = Stack(folder, model_port=model_port)
    pages: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(urlsplit(self.path).path)
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((page or "").encode())

        def log_message(self, *_: object) -> None:
            """Nothing to tell."""

    server = ThreadingHTTPServer((HOST, stack.site_port), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with stack.backend():
            yield Guest(stack, pages)
    finally:
        server.shutdown()
        server.server_close()
