"""Serves the demo shop without the bubble: the same pages, less the one tag.

python tests/bench/page/bare_shop.py --port 8081 --backend http://127.0.0.1:8000
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from flask import Response
from gevent.pywsgi import WSGIServer

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "demo-site"))

from server import create_site

TAG = re.compile(rb"\s*<script async src=[^>]*></script>")


def main() -> None:
    """Serve until the process is stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--backend", required=True)
    given = parser.parse_args()
    site = create_site(given.backend)

    @site.after_request
    def take_the_tag_out(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.set_data(TAG.sub(b"", response.get_data()))
        return response

    WSGIServer(("127.0.0.1", given.port), site, log=None).serve_forever()


if __name__ == "__main__":
    main()
