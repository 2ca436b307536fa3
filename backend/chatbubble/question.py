"""The body of `POST /chat`, from bytes to a checked record."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from .body import kind_of, parse_object, text_of, words_of
from .errors import BadRequest
from .records import Page, Question
from .visitors import Visitors, new_id
from .well_formed import well_formed

MESSAGE_CHARS = 4000
URL_CHARS = 2048
TITLE_CHARS = 256
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)
# Control and format characters and blanks: nothing that a reader would see.
_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
_LOCALE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}", re.ASCII)


def parse_question(body: bytes, visitors: Visitors, redact: Callable[[str], str] = str) -> Question:
    """The question in a JSON body, with what `redact` makes of the words in it.

    Raises BadRequest that names the field, what was expected and what came; SessionExpired.
    """
    fields = parse_object(body)
    for name in ("message", "sessionId"):
        if name not in fields:
            raise BadRequest(f"{name} is missing: send {{message, sessionId}} as JSON.", field=name)
    session_id = text_of(fields, "sessionId")
    return Question(
        text=redact(_message(words_of(fields, "message"))),
        visitor_id=visitors.of_session(session_id),
        request_id=_request_id(fields, "requestId") or new_id("req"),
        page=_page(fields.get("page"), redact),
        locale=_locale(fields),
        replaces=_request_id(fields, "replaces"),
    )


def _message(message: str) -> str:
    if not 1 <= len(message) <= MESSAGE_CHARS:
        raise BadRequest(
            f"message should be 1 to {MESSAGE_CHARS} characters without outer blanks, but it has {len(message)}.",
            field="message",
        )
    if all(unicodedata.category(char) in _UNSEEN for char in message):
        raise BadRequest("message should hold at least one visible character.", field="message")
    return message


def _request_id(fields: dict[str, Any], name: str) -> str:
    if fields.get(name) is None:
        return ""
    request_id = text_of(fields, name)
    if not _REQUEST_ID.fullmatch(request_id):
        raise BadRequest(f"{name} should be 1 to 128 characters of A-Z a-z 0-9 . _ : -", field=name)
    return request_id


def _locale(fields: dict[str, Any]) -> str:
    if fields.get("locale") is None:
        return ""
    locale = text_of(fields, "locale")
    if locale and not _LOCALE.fullmatch(locale):
        raise BadRequest("locale should be a language tag like en or zh-CN.", field="locale")
    return locale


def _page(value: Any, redact: Callable[[str], str]) -> Page | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BadRequest(f"page should be an object with url and title, not {kind_of(value)}.", field="page")
    url, title = value.get("url", ""), value.get("title", "")
    for name, part in (("page.url", url), ("page.title", title)):
        if not isinstance(part, str):
            raise BadRequest(f"{name} should be text, not {kind_of(part)}.", field=name)
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        scheme = ""
    if scheme not in ("http", "https"):
        raise BadRequest("page.url should be an http or https address.", field="page.url")
    # Not the visitor's words: too long or half a character must not stop a question.
    return Page(redact(well_formed(url)[:URL_CHARS]), redact(well_formed(title)[:TITLE_CHARS]))
