"""Serves the pretend shop: a few pages under a policy stricter than most real sites have.

    python demo-site/server.py --port 8080 --backend http://127.0.0.1:8000

The widget has to work here without one violation of the policy. Browsers report
violations to /csp-report; /csp-reports lists them.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import deque
from typing import Any

import shop
from flask import Flask, Response, abort, render_template, request, send_from_directory
from gevent.pywsgi import WSGIServer

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")
PLAYGROUND = "/playground"
_REPORT_BYTES = 16_384
_REPORTS_KEPT = 100


def policy(backend: str, *, own_scripts: bool = False) -> str:
    """The Content-Security-Policy of a page: nothing but our own style and images, and the widget.

    `own_scripts` is for the one page that has a script of the site's own, a file like any other.
    """
    scripts = f"'self' {backend}" if own_scripts else backend
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self'",
            f"script-src {scripts}",
            f"connect-src {backend}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
            "report-uri /csp-report",
        )
    )


def create_site(backend: str, prefix: str = "/api/ai") -> Flask:
    """The site as a Flask app.

    `backend` is the origin of the widget, such as `http://127.0.0.1:8000`; `prefix`
    is the path of its routes there. Raises ValueError when `backend` is no origin.
    """
    if not _ORIGIN.fullmatch(backend):
        raise ValueError(f"the backend should be an origin like http://127.0.0.1:8000, but it is {backend!r}")
    site = Flask(__name__)
    site.jinja_env.trim_blocks = site.jinja_env.lstrip_blocks = True
    site.jinja_env.globals.update(shop=shop, widget_url=f"{backend}{prefix}/widget.js")
    _add_pages(site)
    _add_reports(site)

    @site.after_request
    def protect(response: Response) -> Response:
        own_scripts = request.path == PLAYGROUND
        response.headers["Content-Security-Policy"] = policy(backend, own_scripts=own_scripts)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
        response.headers.setdefault("Cache-Control", "no-cache")
        return response

    return site


def _add_pages(site: Flask) -> None:
    def page(path: str, template: str) -> None:
        site.add_url_rule(path, template, lambda: render_template(template))

    page("/", "home.html")
    page("/shop", "shop.html")
    page("/size-guide", "size_guide.html")
    page("/delivery", "delivery.html")
    page("/about", "about.html")
    page("/zh", "chinese.html")
    page(PLAYGROUND, "playground.html")

    @site.get("/shop/<slug>")
    def product(slug: str) -> str:
        if slug not in shop.BY_SLUG:
            abort(404)
        return render_template("product.html", product=shop.BY_SLUG[slug])

    @site.get("/favicon.ico")
    def favicon() -> Response:
        return send_from_directory(site.static_folder or "", "mark.svg")

    @site.errorhandler(404)
    def not_found(_: Exception) -> tuple[str, int]:
        return render_template("not_found.html"), 404


def _add_reports(site: Flask) -> None:
    reports: deque[Any] = deque(maxlen=_REPORTS_KEPT)
    counted = 0

    @site.post("/csp-report")
    def take() -> tuple[str, int]:
        nonlocal counted
        request.max_content_length = _REPORT_BYTES
        try:
            reports.append(json.loads(request.get_data()))
        except ValueError:
            abort(400)
        counted += 1
        return "", 204

    @site.get("/csp-reports")
    def show() -> dict[str, Any]:
        return {"count": counted, "reports": list(reports)}

    @site.delete("/csp-reports")
    def forget() -> tuple[str, int]:
        nonlocal counted
        counted = 0
        reports.clear()
        return "", 204


def main() -> None:
    """Serve the site alone until Ctrl-C, for a backend that runs already."""
    parser = argparse.ArgumentParser(description="Serve the demo shop for a Chatbubble backend that runs already.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on (default: %(default)s)")
    parser.add_argument("--backend", default="http://127.0.0.1:8000", help="origin of the backend (%(default)s)")
    parser.add_argument("--prefix", default="/api/ai", help="path of its routes (default: %(default)s)")
    given = parser.parse_args()
    try:
        site = create_site(given.backend.rstrip("/"), given.prefix)
    except ValueError as fault:
        parser.error(str(fault))
    print(f"The shop is at http://{given.host}:{given.port}, the widget comes from {given.backend}", flush=True)
    try:
        WSGIServer((given.host, given.port), site, log=None).serve_forever()
    except OSError as fault:
        parser.exit(1, f"Cannot listen on {given.host}:{given.port}: {fault.strerror}\n")
    except KeyboardInterrupt:
        parser.exit(0)


if __name__ == "__main__":
    main()
