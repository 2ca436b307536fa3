"""What is logged: lines for people or for programs, and which request and stream each belongs to.

A greenlet says once what it works for; every line that it logs from there on carries that. Greenlets that work for
all, such as the one that saves running answers, say nothing.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import traceback
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import gevent
from gevent import monkey

from .discretion import withhold

TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# Also what another server in front of us may have made: UUIDs, hex, ULIDs.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
_NOISY = ("httpx", "httpx2", "openai")

logger = logging.getLogger("chatbubble")


@dataclass(frozen=True, slots=True)
class Trace:
    """What a greenlet works for; empty texts where it is nothing."""

    request_id: str = ""
    stream_id: str = ""


_trace: ContextVar[Trace] = ContextVar("chatbubble_trace", default=Trace())  # noqa: B039 -- it is frozen


def follow(trace: Trace) -> None:
    """From here on this greenlet works for that."""
    _trace.set(trace)


def begin_request(wished: str | None) -> str:
    """This greenlet answers a request from here on. Returns the request's id: `wished`, if it looks like one."""
    request_id = wished if wished and _REQUEST_ID.fullmatch(wished) else secrets.token_hex(16)
    follow(Trace(request_id))
    return request_id


def trace_stream(stream_id: str) -> Trace:
    """What this greenlet works for, with that stream. Give it to whoever works on: `follow` it there."""
    return replace(_trace.get(), stream_id=stream_id)


def tell_fault(log: logging.Logger, what: str, fault: BaseException | None, said: Iterable[str]) -> None:
    """Log a fault with its traceback, but none of the words `said` in a conversation that it may hold."""
    whole = "".join(traceback.format_exception(fault))
    discreet = withhold(whole, said)
    if discreet == whole or log.isEnabledFor(logging.DEBUG):
        log.error("%s", what, exc_info=fault)
    else:
        log.error("%s\n%s", what, discreet)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `message`; `request_id`, `stream_id` and `error` where there
    are any, and the fields of a record's `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        trace = _trace.get()
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": trace.request_id,
            "stream_id": trace.stream_id,
            **getattr(record, "fields", {}),
            "error": self.formatException(record.exc_info) if record.exc_info else "",
        }
        return json.dumps({name: value for name, value in line.items() if value != ""}, default=str)


class _ToStandardError(logging.StreamHandler[Any]):
    """Ours, and nobody else's."""


def set_up(log_format: str, level: str) -> None:
    """Have this process log to its standard error, as `text` or `json`, unless a host app sees to that itself.
    May be called again.

    Args:
        log_format: CHATBUBBLE_LOG_FORMAT.
        level: CHATBUBBLE_LOG_LEVEL.
    """
    root = logging.getLogger()
    ours = next((handler for handler in root.handlers if isinstance(handler, _ToStandardError)), None)
    if ours is None and not root.handlers:
        ours = _ToStandardError()
        root.addHandler(ours)
    if ours is None:
        return  # the host app has chosen already
    ours.setFormatter(JsonFormatter() if log_format == "json" else logging.Formatter(TEXT_FORMAT))
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if log_format == "json" and monkey.is_module_patched("socket"):
        # What a greenlet raises, gevent prints over many lines.
        hub: Any = gevent.get_hub()
        hub.print_exception = _log_failure


def _log_failure(
    context: object, kind: type[BaseException], failure: BaseException, trace: TracebackType | None
) -> None:
    # Not the context itself: a greenlet tells what it was given, which may be a question.
    logger.error("%s failed", type(context).__name__, exc_info=(kind, failure, trace))
