"""Serves the conformance page under the strictest policy that a page can have, and takes the browsers' reports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from stack import HOST

PAGE = Path(__file__).parent / "page"


def policy(site: str, widget: str) -> str:
    """Nothing but our scripts and the widget's; no style of the page's own, no Trusted Types policy at all."""
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'none'",
            f"script-src {site} {widget}",
            f"connect-src {widget}",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
            "report-uri /csp-report",
        )
    )


class Site:
    """The page at `address`; `reports` are the violations that browsers told of."""

    def __init__(self, address: str, widget: str) -> None:
        self.address = address
        self.widget = widget
        self.reports: list[dict[str, Any]] = []

    def page(self, query: dict[str, list[str]]) -> tuple[str, str]:
        """HTML and policy. `?suite=` names the page's script, `?lax` takes the policy away."""
        suite, theme = (query.get(name, [default])[0] for name, default in (("suite", "chat"), ("theme", "auto")))
        markup = Template((PAGE / "index.html").read_text("utf-8")).substitute(
            suite=suite, theme=theme, widget=self.widget
        )
        return markup, "" if "lax" in query else policy(self.address, self.widget)


def _handler_of(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            target = urlsplit(self.path)
            if target.path == "/":
                markup, allowed = site.page(parse_qs(target.query, keep_blank_values=True))
                return self._answer(200, markup.encode(), "text/html; charset=utf-8", allowed)
            script = PAGE / Path(target.path).name
            if script.suffix != ".js" or not script.exists():
                return self._answer(404, b"", "text/plain", "")
            return self._answer(200, script.read_bytes(), "text/javascript; charset=utf-8", "")

        def do_POST(self) -> None:
            report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            site.reports.append(report.get("csp-report", report))
            self._answer(204, b"", "text/plain", "")

        def _answer(self, status: int, body: bytes, kind: str, allowed: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            if allowed:
                self.send_header("Content-Security-Policy", allowed)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing to tell."""

    return Handler


@contextmanager
def serving(port: int, widget: str) -> Iterator[Site]:
    """The site, from a thread of its own, until the end of the block."""
    site = Site(f"http://{HOST}:{port}", widget)
    server = ThreadingHTTPServer((HOST, port), _handler_of(site))
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
