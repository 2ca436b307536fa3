"""A flood of questions is refused before Flask is entered.

The first refusal of its kind is Flask's, and is kept. A question that is like that one in all that its refusal depends
on gets the same answer, but for its own id and the seconds that it has to wait. Of 290 us that a refused question took
of the processor, Flask and what it calls were 200.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, signals
from flask.sansio.app import App

from .addresses import Addresses
from .errors import RateLimited
from .limits import QuestionLimits
from .logs import begin_request
from .measures import Measures
from .slots import Slots

# The views' own: a line of the log is the same, whoever refuses.
logger = logging.getLogger("chatbubble.views")

_IS_FLOOD = "chatbubble.is_flood"
_MOST_KEPT = 64
# What the answer to a flood depends on: where it goes, who asks by which page. It has no body and no query for us yet.
_LIKENESS = (
    "SCRIPT_NAME",
    "PATH_INFO",
    "SERVER_NAME",
    "SERVER_PORT",
    "wsgi.url_scheme",
    "HTTP_HOST",
    "HTTP_ORIGIN",
    "HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK",
)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What was answered once, and is answered again."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def headers_of(self, request_id: str, wait_s: int) -> list[tuple[str, str]]:
        """The headers for another question."""
        own = {"X-Request-ID": request_id, "Retry-After": str(wait_s)}
        return [(name, own.get(name, value)) for name, value in self.headers]


class FloodGate:
    """Refuses the questions of a flood, in the view as well as before it.

    A question goes on to Flask whenever its refusal may be another one there: where the process is full, with a
    cookie, and in apps that do things of their own with every request.
    """

    def __init__(self, questions: QuestionLimits, addresses: Addresses, slots: Slots, measures: Measures) -> None:
        self._questions, self._addresses = questions, addresses
        self._slots, self._measures = slots, measures
        self._kept: dict[tuple[str | None, ...], _Refusal] = {}

    def refuse(self, environ: WSGIEnvironment, address: str) -> None:
        """For the view: as QuestionLimits.refuse_flood, and the answer to this request is one to keep."""
        try:
            self._questions.refuse_flood(address)
        except RateLimited:
            environ[_IS_FLOOD] = True
            raise

    def stand_before(self, app: App, blueprint: str) -> None:
        """Refuse for this app what its own view would.

        Not for one that has another `wsgi_app` already: what stands between may have its own idea of a request's
        address, host or scheme. What is put around the app later sees all requests, and we what it makes of them.

        Args:
            blueprint: the chat's own, with the names of those around it before it.
        """
        if type(app) is not Flask or "wsgi_app" in vars(app):
            return
        ordinary, parts = app.wsgi_app, blueprint.split(".")
        names = [None, *(".".join(parts[: count + 1]) for count in range(len(parts)))]

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            wait_s = self._wait_s(environ)
            if wait_s is None:
                return ordinary(environ, start_response)
            likeness = tuple(map(environ.get, _LIKENESS))
            kept = self._kept.get(likeness)
            if kept is not None:
                return self._answer_again(kept, environ, start_response, wait_s)
            body, refusal = _watch(ordinary, environ, start_response)
            if refusal is not None and not _has_hooks(app, names):
                if len(self._kept) >= _MOST_KEPT:
                    self._kept.clear()
                self._kept[likeness] = refusal
            return body

        app.wsgi_app = answer  # type: ignore[method-assign]

    def _wait_s(self, environ: WSGIEnvironment) -> int | None:
        """For how many seconds a request would be refused as part of a flood if it were a question; None where not."""
        if not self._questions.has_floods or environ["REQUEST_METHOD"] != "POST":
            return None
        if "HTTP_COOKIE" in environ or self._slots.is_over:
            return None
        return self._questions.flood_wait_s(self._addresses.of(environ))

    def _answer_again(
        self, kept: _Refusal, environ: WSGIEnvironment, start_response: StartResponse, wait_s: int
    ) -> Iterable[bytes]:
        request_id = begin_request(environ.get("HTTP_X_REQUEST_ID"))
        self._measures.refusals[RateLimited.code] += 1
        logger.info("%s %s: %d", "POST", "/chat", RateLimited.status)
        start_response(kept.status, kept.headers_of(request_id, wait_s))
        return [kept.body]


def _watch(
    ordinary: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
) -> tuple[Iterable[bytes], _Refusal | None]:
    """What the app answers, and what of it is to be kept: the refusal of a flood, and nothing else."""
    told: list[tuple[str, tuple[tuple[str, str], ...]]] = []

    def note(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        told[:] = [(status, tuple(headers))]
        return start_response(status, headers, exc_info)

    body: Any = ordinary(environ, note)
    if not (environ.get(_IS_FLOOD) and told):
        return body, None
    with closing(body):
        whole = b"".join(body)
    return [whole], _Refusal(*told[0], whole)


def _has_hooks(app: Flask, names: Iterable[str | None]) -> bool:
    """Whether the app does something of its own with a request to the chat, or with its answer. What it does when a
    request is over ends what was begun in Flask: there is nothing of that."""
    tables: Any = (app.before_request_funcs, app.after_request_funcs, app.url_value_preprocessors)
    hooked = any(table.get(name) for table in tables for name in names)
    return hooked or any(signal.receivers for signal in (signals.request_started, signals.request_finished))
