"""The connection under a response: tuned for streaming, watched for a reader that leaves.

WSGI knows no socket, and a server learns of a gone reader only by writing twice. Each
server keeps the socket somewhere in the environ; where none is found, streaming works
and only the early notice is missing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

import gevent

SEND_BUFFER_BYTES = 131_072
# Where the environ of a request has the stream that answers it.
STREAM_KEY = "chatbubble.stream"
_KEYS = ("chatbubble.socket", "gunicorn.socket", "werkzeug.socket")


def find_socket(environ: Mapping[str, Any]) -> socket.socket | None:
    """The client's socket, as gevent's pywsgi, gunicorn or werkzeug offer it; None elsewhere."""
    for key in _KEYS:
        if key in environ:
            found: socket.socket = environ[key]
            return found
    # pywsgi without our handler: its input reads through a buffered file of the socket.
    raw = getattr(getattr(environ.get("wsgi.input"), "rfile", None), "raw", None)
    return getattr(raw, "_sock", None)


def attend(connection: socket.socket, *, send_timeout_s: float, on_gone: Callable[[], None]) -> Callable[[], None]:
    """Tune and watch the connection for the length of one response; returns what ends that.
    A connection that is already closed counts as gone at once."""
    timeout_before_s = connection.gettimeout()
    try:
        tune_for_streaming(connection, send_timeout_s)
        cancel_watch = watch_for_leaving(connection, on_gone)
    except (OSError, ValueError):
        on_gone()
        return lambda: None

    def end() -> None:
        cancel_watch()
        connection.settimeout(timeout_before_s)

    return end


def tune_for_streaming(connection: socket.socket, send_timeout_s: float) -> None:
    """Small writes leave at once, little is buffered, and a reader that takes nothing for
    `send_timeout_s` seconds is dropped: its send raises TimeoutError."""
    send_at_once(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    connection.settimeout(send_timeout_s)


def send_at_once(connection: socket.socket) -> None:
    """Small writes leave as they come. Without this, what follows the head of an answer waits
    for the peer's acknowledgement, which peers delay by 40 ms."""
    if connection.family in (socket.AF_INET, socket.AF_INET6):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def watch_for_leaving(connection: socket.socket, on_gone: Callable[[], None]) -> Callable[[], None]:
    """Call `on_gone` from the event loop when the peer closes, half-closes or resets.

    `on_gone` must not switch. Returns what ends the watch. Bytes that arrive instead (a
    pipelined request) end the watch too: then only a failing write can tell.
    """
    watcher = gevent.get_hub().loop.io(connection.fileno(), 1)

    def look() -> None:
        try:
            peeked = _peek(connection)
        except BlockingIOError:
            return
        except OSError:
            peeked = b""
        watcher.stop()
        if not peeked:
            on_gone()

    watcher.start(look)

    def cancel() -> None:
        watcher.stop()
        watcher.close()

    return cancel


def _peek(connection: socket.socket) -> bytes:
    # The plain recv below gevent's: the loop itself must not wait.
    plain = getattr(connection, "_sock", connection)
    peeked: bytes = plain.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    return peeked
