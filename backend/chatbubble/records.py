"""The things Chatbubble speaks of, as frozen records.

They carry no behaviour beyond reading and writing themselves, so every floor of the
package may hold one. Times are whole milliseconds since the Unix epoch, in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

_CURSOR = re.compile(r"([A-Za-z0-9]{1,24})\.(0|[1-9][0-9]{0,14})", re.ASCII)


class Author(StrEnum):
    """Who wrote a message."""

    VISITOR = "visitor"
    ASSISTANT = "assistant"
    OPERATOR = "operator"
    SYSTEM = "system"


class FinishReason(StrEnum):
    """Why an answer ended. `ERROR` and `INTERRUPTED` occur in stored messages only:
    on the wire they are an `error` event."""

    STOP = "stop"
    LENGTH = "length"
    ABORTED = "aborted"
    CONTENT_FILTER = "content_filter"
    ERROR = "error"
    INTERRUPTED = "interrupted"


class TurnState(StrEnum):
    """Where a turn stands. All but `RUNNING` are final."""

    RUNNING = "running"
    DONE = "done"
    ABORTED = "aborted"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a stream: everything up to and including event number `seq` was read.

    `epoch` names one telling of the stream, so a cursor of an earlier telling is
    recognised as foreign. `seq` 0 is the place before the first event.
    """

    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Read `<epoch>.<seq>`; None when the text has any other shape."""
        match = _CURSOR.fullmatch(text)
        return cls(match[1], int(match[2])) if match else None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the model's server counted them."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Page:
    """The page a question was asked on, as the widget reports it."""

    url: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One checked `POST /chat` body. `visitor_id` is the hash of the session id; `replaces` is
    the request id of the earlier question that this one takes the place of, or empty."""

    text: str
    visitor_id: str
    request_id: str
    page: Page | None = None
    locale: str = ""
    replaces: str = ""


class Rating(StrEnum):
    """Whether an answer helped."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a visitor thinks of an answer. `given_at` is in milliseconds since the Unix epoch."""

    rating: Rating
    comment: str
    given_at: int


@dataclass(frozen=True, slots=True)
class Source:
    """A page that an answer rests on. `[n]` in the answer's text means it; 0 stands for its
    place in the list, from 1 on."""

    title: str
    url: str
    snippet: str = ""
    n: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """One stored message of a conversation."""

    message_id: str
    author: Author
    content: str
    created_at: int
    finish_reason: FinishReason | None = None
    error_code: str | None = None
    request_id: str | None = None
    sources: tuple[Source, ...] = ()
    suggestions: tuple[str, ...] = ()
    feedback: Feedback | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A visitor's message and the answer to it. `message_id` names the answer; `attempt` counts the
    processes that have tried to give it."""

    stream_id: str
    conversation_id: str
    message_id: str
    visitor_id: str
    request_id: str
    state: TurnState
    created_at: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Conversation:
    """All that was said between one visitor and the company, oldest first."""

    conversation_id: str
    messages: tuple[Message, ...] = ()
    running: Turn | None = None


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One message as providers take it: `role` is `system`, `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a provider is asked. `locale` is the visitor's language tag, or empty."""

    messages: tuple[PromptMessage, ...]
    locale: str = ""
    page: Page | None = None

    @property
    def question(self) -> str:
        """The visitor's newest message."""
        return self.messages[-1].content

    @property
    def said(self) -> tuple[str, ...]:
        """The words of the conversation: all messages but the operator's own instructions."""
        return tuple(message.content for message in self.messages if message.role != "system")


@dataclass(frozen=True, slots=True)
class Finish:
    """A provider's last word: why it ended and what it cost, as far as it says."""

    reason: FinishReason = FinishReason.STOP
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class ModelCall:
    """How the model was asked, and what its server said of that; a provider may yield it at any time.

    `request_id` is the server's own name for it, `model` the one that it says it has used, `settings` what the
    provider has sent with the question, as JSON takes it.
    """

    request_id: str = ""
    model: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Provenance:
    """How an answer came about: what is kept of it, so that it can be shown later. `asked_at` is in milliseconds since
    the Unix epoch."""

    provider: str
    asked_at: int
    call: ModelCall


@dataclass(frozen=True, slots=True)
class Answer:
    """How a turn ended: what the store keeps of it."""

    text: str
    state: TurnState
    finish_reason: FinishReason
    error_code: str | None = None
    usage: Usage | None = None
    model: str = ""
    finished_at: int = field(default=0)
    sources: tuple[Source, ...] = ()
    suggestions: tuple[str, ...] = ()
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """All that is kept of a message. `is_replaced`: its visitor has put another question in its turn's place, and is
    not shown it any more."""

    message: Message
    is_replaced: bool
    model: str = ""
    usage: Usage | None = None
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True)
class KeptConversation:
    """All that is kept of a conversation, oldest first; of an answer that still runs, nothing yet."""

    visitor_id: str
    conversation_id: str
    created_at: int
    messages: tuple[KeptMessage, ...]
