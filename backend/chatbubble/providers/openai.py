"""Answers from OpenAI, or from any server that speaks its chat completions.

The openai package does what it is good at: settings, keys, requests and errors. The body we
read ourselves, as bytes: its typed stream costs many times the processor time, raises on a
bad byte and takes heartbeats for events.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import Any, NamedTuple, cast
from urllib.request import getproxies

import gevent
import httpx2
import openai

from ..discretion import on_one_line, withhold
from ..errors import ConfigError
from ..pace import Pace
from ..prompt import MOST_CHARS_PER_TOKEN
from ..provider import Piece
from ..records import Finish, FinishReason, ModelCall, Prompt
from ..well_formed import well_formed
from .completion import CompletionReader
from .failures import from_exception, is_transient
from .retries import Retries, read_retry_after
from .transport import MAX_IDLE, GeventTransport

DEFAULT_URL = "https://api.openai.com/v1"

_WRITE_TIMEOUT_S = 10.0
_TAIL_S = 2.0
_DRAIN_S = 0.01
_DRAIN_CHUNKS = 16
# Of a request, what is kept with its answer.
_KEPT = frozenset({"model", "temperature", "max_tokens", "max_completion_tokens"})

logger = logging.getLogger("chatbubble.providers.openai")


class OpenAIProvider:
    """Streams answers from an OpenAI-compatible server. One instance serves all turns.

    The turn keeps the timers for tokens; `read_timeout_s` stands behind them.
    """

    name = "openai"

    def __init__(
        self,
        *,
        model: str,
        api_key: str | None = None,
        base_url: str | None = None,
        temperature: float = 0.7,
        max_tokens: int = 2048,
        connect_timeout_s: float = 5.0,
        read_timeout_s: float = 60.0,
    ) -> None:
        """`api_key` and `base_url` default to OPENAI_API_KEY and OPENAI_BASE_URL.

        Raises ConfigError, naming the variable, when one of them is missing or malformed.
        """
        self.model = model
        self._options: dict[str, Any] = {
            "temperature": temperature,
            "max_tokens": max_tokens,
            "stream_options": {"include_usage": True},
        }
        self._max_chars = max_tokens * MOST_CHARS_PER_TOKEN
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._client = _client(api_key, base_url)
        self._pace = Pace()

    def stream(self, prompt: Prompt) -> Iterator[Piece]:
        """Yield a `ModelCall`, and another one once the model has begun; the answer's text as it
        comes, all that one read brought as one piece; then a `Finish`. An empty piece is the sign of
        life of a model that is thinking. An answer that is longer than anything `max_tokens` can be
        is cut: not every server keeps to that.

        A request is sent again only before the first byte of an answer, see `Retries`.
        Closing the iterator, or killing its greenlet, closes the connection at once.

        Raises:
            UpstreamUnavailable: no connection, a cut, a 5xx status or nonsense.
            UpstreamRefused: any other status: a wrong key, model or parameter, no credit.
            UpstreamBusy: 429, or an error frame that says the same.
            UpstreamTimeout: no connection, no headers or no byte in time.
            ContentFiltered: the question itself was filtered.
        """
        reader = CompletionReader(self._client.api_key)
        body = self._open(prompt)
        chars = 0
        try:
            yield body.call(reader)
            is_named = False
            while not reader.is_done and (chunk := self._next(body, reader)) is not None:
                texts = reader.feed(chunk)
                if reader.is_recognised and not is_named:
                    yield body.call(reader)
                    is_named = True
                yield from texts
                chars += sum(map(len, texts))
                if chars > self._max_chars and not reader.is_whole:
                    logger.warning("the model's server keeps to no length: cut after %d characters", chars)
                    yield Finish(FinishReason.LENGTH)
                    return
                if not reader.is_whole:
                    self._pace.rest(chunk.count(b"data:"))
            rest = reader.end()
            if not is_named:
                yield body.call(reader)
            yield from rest
            body.drain()
        finally:
            body.response.close()
            if reader.junk:
                logger.warning("%d frames of an answer were no JSON objects: skipped", reader.junk)

    def close(self) -> None:
        """Close the idle connections; the provider is of no use after it."""
        self._client.close()

    def _open(self, prompt: Prompt) -> _Body:
        messages = [{"role": said.role, "content": well_formed(said.content)} for said in prompt.messages]
        retries, is_unpaid = Retries(), True
        while True:
            request = {"model": self.model, "messages": messages, "stream": True, **self._options}
            try:
                return self._send(request, retries.shorten_s(self._connect_timeout_s))
            except (openai.APIError, httpx2.RequestError) as error:
                if self._learn(error, request):
                    continue
                failure = from_exception(error, self._client.api_key)
                failure.is_unpaid = is_unpaid = failure.is_unpaid and is_unpaid
                delay_s = retries.next_delay_s(_wished_s(error)) if is_transient(error) else None
            if delay_s is None:
                raise failure
            logger.warning("asking again in %.1f s: %s", delay_s, on_one_line(withhold(failure.detail, prompt.said)))
            gevent.sleep(delay_s)

    def _send(self, request: dict[str, Any], connect_timeout_s: float) -> _Body:
        timeout = httpx2.Timeout(self._read_timeout_s, connect=connect_timeout_s, write=_WRITE_TIMEOUT_S)
        # Asked for httpx2's own response, `post` hands it over unread, whatever it says of its type.
        posted: object = self._client.post(
            "/chat/completions",
            cast_to=httpx2.Response,
            body=request,
            # Compressed frames would be held back until the compressor has enough of them.
            options={"timeout": timeout, "headers": {"Accept-Encoding": "identity"}},
            stream=True,
            stream_cls=openai.Stream[object],
        )
        response = cast(httpx2.Response, posted)
        chunks = response.iter_bytes()
        try:
            options = {name: value for name, value in request.items() if name in _KEPT}
            return _Body(response, chain((next(chunks, b""),), chunks), options)
        except BaseException:
            response.close()
            raise

    def _next(self, body: _Body, reader: CompletionReader) -> bytes | None:
        if not reader.is_whole:
            try:
                return next(body.chunks, None)
            except httpx2.RequestError as error:
                raise from_exception(error, self._client.api_key) from None
        # Only the usage and [DONE] can still come, and not every server sends them or even
        # ends the body: neither a cut nor a silence may spoil an answer that is whole.
        with suppress(httpx2.RequestError):
            return gevent.with_timeout(_TAIL_S, next, body.chunks, None, timeout_value=None)
        return None

    def _learn(self, error: Exception, request: dict[str, Any]) -> bool:
        """Drop or rename the option that the server does not know, for good; whether there was one."""
        if not isinstance(error, openai.APIStatusError) or error.status_code not in (400, 422):
            return False
        said = f"{error.body}"
        options = dict(self._options)
        if "stream_options" in request and "stream_options" in said:
            options.pop("stream_options", None)
        elif "max_tokens" in request and "max_completion_tokens" in said:
            options["max_completion_tokens"] = request["max_tokens"]
            options.pop("max_tokens", None)
        elif "temperature" in request and error.param == "temperature" and "unsupported" in f"{error.code}":
            options.pop("temperature", None)
        else:
            return False
        logger.warning("the model's server refuses an option, going on with: %s", ", ".join(options))
        self._options = options
        return True


class _Body(NamedTuple):
    response: httpx2.Response
    chunks: Iterator[bytes]
    options: dict[str, Any]

    def call(self, reader: CompletionReader) -> ModelCall:
        """What is known of the request by now."""
        request_id = self.response.headers.get("x-request-id") or reader.completion_id
        return ModelCall(request_id, reader.model, self.options)

    def drain(self) -> None:
        """Take what is left after the answer, so that the connection can be used again. A
        server that has not ended the body by now loses its connection instead, and a fault
        here no longer matters to the answer."""
        with suppress(httpx2.RequestError):
            gevent.with_timeout(_DRAIN_S, list, islice(self.chunks, _DRAIN_CHUNKS), timeout_value=None)


def _client(api_key: str | None, base_url: str | None) -> openai.OpenAI:
    url = base_url or os.environ.get("OPENAI_BASE_URL") or DEFAULT_URL
    key = (api_key or os.environ.get("OPENAI_API_KEY") or "").strip()
    if not key or not key.isascii() or not key.isprintable():
        raise ConfigError("OPENAI_API_KEY should be the key of the model's server; one that needs none takes any word")
    try:
        client = openai.OpenAI(api_key=key, base_url=url.strip(), max_retries=0, http_client=_http_client())
    except httpx2.InvalidURL:
        raise _wrong_url(url) from None
    if client.base_url.scheme not in ("http", "https") or not client.base_url.host:
        raise _wrong_url(url)
    return client


def _http_client() -> httpx2.Client:
    proxies = getproxies()
    if "http" in proxies or "https" in proxies or "all" in proxies:
        # What stands between is httpx2's business then; its pool is unbounded, since a
        # slot that a killed greenlet may leave behind must never be missed.
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=MAX_IDLE)
        return httpx2.Client(follow_redirects=True, limits=limits)
    return httpx2.Client(follow_redirects=True, transport=GeventTransport())


def _wrong_url(url: str) -> ConfigError:
    return ConfigError(f"OPENAI_BASE_URL should be an address like {DEFAULT_URL}, but it is {url!r:.80}")


def _wished_s(error: Exception) -> float | None:
    return read_retry_after(error.response.headers) if isinstance(error, openai.APIStatusError) else None
