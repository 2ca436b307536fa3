"""What went wrong at the model's server, in Chatbubble's words.

The visitor gets the class's own message. What the server said goes into `detail`, for the
log: on one line, shortened, and without anything that looks like a key.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import httpx2
import openai

from ..errors import (
    ChatbubbleError,
    ContentFiltered,
    UpstreamBusy,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from .retries import read_retry_after

MAX_DETAIL_CHARS = 500

_KEY_LIKE = re.compile(r"\b(?:(?:sk|pk|rk|gsk|xai|key)[-_]|Bearer +)[A-Za-z0-9*._~+/=-]{8,}", re.IGNORECASE)
_NO_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_FILTERED = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})
_BUSY = frozenset({"rate_limit_exceeded", "rate_limit_error", "overloaded", "overloaded_error", "429", "529"})
_GIVEN_UP = frozenset({408, 504})
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})


def from_exception(error: Exception, secret: str) -> ChatbubbleError:
    """The failure that an exception of openai or httpx2 stands for."""
    failure = _from_status(error, secret) if isinstance(error, openai.APIStatusError) else _from_line(error, secret)
    failure.is_unpaid = _is_unpaid(error)
    return failure


def _from_line(error: Exception, secret: str) -> ChatbubbleError:
    cause = error.__cause__ or error
    detail = redact(f"{type(cause).__name__}: {cause}", secret)
    if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
        return UpstreamTimeout(detail=detail)
    return UpstreamUnavailable(detail=detail)


def from_error_object(error: Any, secret: str) -> ChatbubbleError:
    """The failure that an `error` object stands for which came with status 200."""
    said = error if isinstance(error, Mapping) else {"message": error}
    names = {str(said.get("code")), str(said.get("type"))}
    detail = redact(f"error frame, code {said.get('code')}: {said.get('message')}", secret)
    if names & _FILTERED:
        return ContentFiltered(detail=detail)
    if names & _NO_MONEY:
        return UpstreamRefused(detail=detail)
    if names & _BUSY:
        return UpstreamBusy(detail=detail)
    return UpstreamUnavailable(detail=detail)


def is_transient(error: Exception) -> bool:
    """Whether the same request may well succeed a little later. One that was only slow to
    be answered is not asked again: it is still being worked on, and paid for."""
    if not isinstance(error, openai.APIStatusError):
        return not any(isinstance(each, httpx2.ReadTimeout) for each in (error, error.__cause__))
    if error.response.headers.get("x-should-retry") == "false" or _names(error) & _NO_MONEY:
        return False
    return error.status_code in _TRANSIENT


def _is_unpaid(error: Exception) -> bool:
    """Whether the question never came to a model. One that a gateway gave up on may have."""
    if isinstance(error, openai.APIStatusError):
        return error.status_code not in _GIVEN_UP
    return any(isinstance(each, _NEVER_SENT) for each in (error, error.__cause__))


def redact(text: str, secret: str) -> str:
    """`text` on one line, shortened, without `secret` and whatever else looks like a key."""
    if secret:
        text = text.replace(secret, "***")
    text = _KEY_LIKE.sub("***", " ".join(text.split()))
    return "".join(char if char.isprintable() else "?" for char in text[:MAX_DETAIL_CHARS])


def _from_status(error: openai.APIStatusError, secret: str) -> ChatbubbleError:
    status, names = error.status_code, _names(error)
    detail = redact(f"HTTP {status}, code {error.code}: {error.message}", secret)
    if status == 400 and names & _FILTERED:
        return ContentFiltered(detail=detail)
    if status == 429 and not names & _NO_MONEY:
        wished_s = read_retry_after(error.response.headers)
        return UpstreamBusy(detail=detail, retry_after_s=None if wished_s is None else math.ceil(wished_s))
    if status == 408:
        return UpstreamTimeout(detail=detail)
    if status >= 500:
        return UpstreamUnavailable(detail=detail)
    return UpstreamRefused(detail=detail)


def _names(error: openai.APIStatusError) -> set[str]:
    return {str(error.code), str(error.type)}
