"""Reads the body of one chat completion: bytes in, pieces of the answer out. Pure.

Servers that call themselves compatible differ in what they send around the answer. This
reader is strict about the answer and lenient about the rest:

- A frame that is no JSON object (`: keepalive`, `ping`, a number) cannot hold text of the
  answer: it is skipped and counted in `junk`.
- A frame that begins like an object and cannot be read held something that is lost now, so
  the answer ends there with UpstreamUnavailable rather than with a hole in it.
- The answer is whole when `[DONE]` or a finish reason came. A body that ends without either
  was cut. What comes after `[DONE]` is not read.
- A last frame that no blank line closes counts if it is whole: JSON cannot be cut unseen.
- A body that begins with `{` is a completion that was not streamed, or an error; one that
  begins with `<` is a web page. The declared media type is wrong too often to be asked.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from ..errors import UpstreamUnavailable
from ..provider import Piece
from ..records import Finish, FinishReason, Usage
from ..sse import DEFAULT_MAX_BYTES, Decoder, EventTooLarge, ServerSentEvent
from .failures import from_error_object

_REASONS = {
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
}
# Some servers leave control characters in their strings as they are.
_JSON = json.JSONDecoder(strict=False)
_BLANKS_AND_BOM = b" \t\r\n\xef\xbb\xbf"


class CompletionReader:
    """One answer on its way in. `is_done` tells that nothing that still comes matters; `completion_id` and `model`
    are what its server calls the answer and the model, known once the body `is_recognised` as one of a completion."""

    def __init__(self, secret: str = "") -> None:
        """`secret` is blotted out of what errors keep for the log."""
        self._secret = secret
        self.is_done = False
        self.junk = 0
        self.completion_id = self.model = ""
        self._kind: Literal["unknown", "stream", "object"] = "unknown"
        self._decoder = Decoder()
        self._body = bytearray()
        self.is_recognised = False
        self._reason: FinishReason | None = None
        self._usage: Usage | None = None
        self._texts: list[str] = []

    @property
    def is_whole(self) -> bool:
        """Whether all text of the answer has come."""
        return self.is_done or self._reason is not None

    def feed(self, chunk: bytes) -> list[str]:
        """The text that `chunk` completes, joined to one piece; often none. An empty piece
        says that the model is at work but not on the answer's text (it is thinking).

        Raises one of the `Upstream...` errors where the body cannot be an answer.
        """
        if self._kind == "unknown":
            self._recognise(chunk.lstrip(_BLANKS_AND_BOM))
        if self._kind == "object":
            self._body += chunk
            if len(self._body) > DEFAULT_MAX_BYTES:
                raise UpstreamUnavailable(detail="the body is too large")
            return []
        try:
            events = self._decoder.feed(chunk)
        except EventTooLarge as cause:
            raise UpstreamUnavailable(detail=str(cause)) from None
        for event in events:
            if self.is_done:
                break
            self._read_event(event)
        return self._take()

    def end(self) -> list[Piece]:
        """What the end of the body, or of our interest in it, adds: perhaps text, then
        always a `Finish`.

        Raises UpstreamUnavailable when the answer is not whole.
        """
        if self._kind == "object":
            self._read_object()
        elif not self.is_whole:
            self.feed(b"\n\n")
        if self.junk and not self.is_recognised:
            raise UpstreamUnavailable(detail=f"{self.junk} frames came, none of them of a completion")
        if not self.is_whole:
            raise UpstreamUnavailable(detail="the body ended before the answer did")
        return [*self._take(), Finish(self._reason or FinishReason.STOP, self._usage)]

    def _recognise(self, start: bytes) -> None:
        if start.startswith(b"<"):
            raise UpstreamUnavailable(detail="a web page came instead of a stream")
        if start:
            self._kind = "object" if start.startswith(b"{") else "stream"

    def _read_event(self, event: ServerSentEvent) -> None:
        data = event.data
        if data.startswith("[DONE]"):
            self.is_done = True
            return
        try:
            frame = _JSON.decode(data)
        except ValueError:
            if data.lstrip().startswith("{"):
                raise UpstreamUnavailable(detail="a frame of the answer cannot be read") from None
            frame = None
        if not isinstance(frame, dict):
            self.junk += bool(data) and not data.startswith(":")
            return
        if event.event == "error" and "error" not in frame:
            raise from_error_object(frame, self._secret)
        self._read_frame(frame, "delta")

    def _read_object(self) -> None:
        try:
            frame = _JSON.decode(self._body.decode("utf-8-sig", "replace"))
        except ValueError:
            raise UpstreamUnavailable(detail="the body is neither a stream nor JSON") from None
        self._read_frame(frame, "message")
        self.is_done = self.is_recognised

    def _read_frame(self, frame: dict[str, Any], part: str) -> None:
        if frame.get("error") or frame.get("object") == "error":
            raise from_error_object(frame.get("error") or frame, self._secret)
        usage = frame.get("usage")
        if isinstance(usage, dict):
            self._usage = _read_usage(usage) or self._usage
        choices = frame.get("choices")
        if not isinstance(choices, list):
            return
        if not self.is_recognised:
            self.is_recognised = True
            self.completion_id, self.model = (_read_name(frame.get(name)) for name in ("id", "model"))
        if choices and isinstance(choices[0], dict):
            self._read_choice(choices[0], part)

    def _read_choice(self, choice: dict[str, Any], part: str) -> None:
        said = choice.get(part)
        if isinstance(said, dict):
            for name in ("content", "refusal"):
                text = said.get(name)
                if isinstance(text, str) and text:
                    self._texts.append(text)
            if said.get("reasoning_content") or said.get("reasoning"):
                self._texts.append("")
        reason = choice.get("finish_reason")
        if reason == "error":
            raise UpstreamUnavailable(detail="the finish reason is: error")
        if isinstance(reason, str) and reason:
            self._reason = _REASONS.get(reason, FinishReason.STOP)

    def _take(self) -> list[str]:
        if not self._texts:
            return []
        texts, self._texts = self._texts, []
        return ["".join(texts)]


def _read_usage(usage: dict[str, Any]) -> Usage | None:
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return Usage(prompt, completion) if isinstance(prompt, int) and isinstance(completion, int) else None


def _read_name(value: object) -> str:
    return value if isinstance(value, str) else ""
