"""How each kind of server is asked over HTTP, and where the tokens of its answers end."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Wire:
    """One way to ask.

    Attributes:
        ask: the bytes that ask a question, as a visitor of their own.
        last_words: see Transcript.
    """

    ask: Callable[[str], bytes]
    last_words: bytes = b""


def posted(path: str, body: object, **headers: str) -> bytes:
    """A request as a browser's fetch makes it."""
    sent = json.dumps(body).encode()
    return _head("POST", path, {"Content-Type": "application/json", "Content-Length": str(len(sent)), **headers}) + sent


def got(path: str, **headers: str) -> bytes:
    """A request without a body; underscores in the headers' names become dashes."""
    return _head("GET", path, {name.replace("_", "-"): value for name, value in headers.items()})


def _head(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: text/event-stream", "Accept-Language: en"]
    lines += ["User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode("ascii")


def new_session() -> str:
    """A visitor who was never here."""
    return secrets.token_urlsafe(24)


def _ask_model(question: str) -> bytes:
    said = {"role": "user", "content": question}
    body = {"model": "stand-in", "messages": [said], "stream": True, "stream_options": {"include_usage": True}}
    return posted("/v1/chat/completions", body, Authorization="Bearer sk-bench")


def _ask_chatbubble(question: str) -> bytes:
    return posted("/api/ai/chat", {"message": question, "sessionId": new_session()})


WIRES = {
    # The model itself, and whoever passes its bytes on.
    "model": Wire(_ask_model),
    # The references: what each delta says, and an end.
    "plain": Wire(lambda question: posted("/chat", {"message": question})),
    # `done` tells the whole text once more.
    "chatbubble": Wire(_ask_chatbubble, b"\nevent: done\n"),
}
