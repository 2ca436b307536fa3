"""A chat backend as Flask, gevent and the openai package make one: a yield for every delta. No log, so nothing can be
resumed.

    PORT=8000 OPENAI_BASE_URL=... OPENAI_API_KEY=... python flask_server.py
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402 -- patching comes first
import os  # noqa: E402
from collections.abc import Iterator  # noqa: E402

import httpx2  # noqa: E402
from flask import Flask, Response, request  # noqa: E402
from gevent.pywsgi import WSGIServer  # noqa: E402
from openai import DefaultHttpxClient, OpenAI  # noqa: E402

BACKLOG = 2048
# The package's own limit, 1,000 connections, would be the benchmark's.
LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=1000)
openai = OpenAI(max_retries=0, http_client=DefaultHttpxClient(limits=LIMITS))
app = Flask(__name__, static_folder=None)


@app.post("/chat")
def chat() -> Response:
    """The answer as an event stream."""
    message = request.get_json()["message"]
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(tell(message), mimetype="text/event-stream", headers=headers)


def tell(message: str) -> Iterator[str]:
    """The answer's deltas, and an end."""
    answer = openai.chat.completions.create(
        model="stand-in",
        messages=[{"role": "user", "content": message}],
        stream=True,
        stream_options={"include_usage": True},
    )
    with answer:
        for part in answer:
            if part.choices and (text := part.choices[0].delta.content):
                yield f"data: {json.dumps({'text': text})}\n\n"
    yield "event: done\ndata: {}\n\n"


if __name__ == "__main__":
    WSGIServer(("127.0.0.1", int(os.environ["PORT"])), app, log=None, backlog=BACKLOG).serve_forever()
