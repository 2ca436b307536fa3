"""The provider's part of a turn: build the prompt, ask, append what comes to the stream log.

It runs in a greenlet of its own, which may be killed between any two lines. So nothing
that must happen stands here: how the turn ends is decided and written by `turn.py`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import gevent

from .additions import fitting_sources, fitting_suggestions
from .budget import Said
from .checkpoints import Checkpoints
from .config import Settings
from .errors import ChatbubbleError, NotFound, StoreUnavailable
from .events import RESERVED_TYPES, Custom, Event, Sources, Suggestions, Token, utf16_length
from .logs import follow, trace_stream
from .measures import Measures
from .prompt import build_prompt
from .provider import Piece, Provider
from .records import Author, Finish, FinishReason, Message, ModelCall, Prompt, Question, Source, Turn
from .saving import Saver
from .spending import FREE, Bill, NoSpending, Spending
from .store import HISTORY_MESSAGES, ConversationStore
from .stream_log import StreamLog
from .well_formed import WellFormedText, slices

T = TypeVar("T")
logger = logging.getLogger("chatbubble.turn")

MAX_ANSWER_UNITS = 1_500_000
PIECE_CHARS = 16_384
_YIELD_EVERY = 64
_STORE_WAIT_S, _STORE_PAUSE_S = 15.0, 0.25
# The others are what becomes of a turn, not of an answer.
_OWN_REASONS = (FinishReason.STOP, FinishReason.LENGTH, FinishReason.CONTENT_FILTER)


@dataclass(frozen=True, slots=True)
class TurnParts:
    """What every turn of one mounted Chatbubble works with."""

    settings: Settings
    provider: Provider
    store: ConversationStore
    log: StreamLog
    checkpoints: Checkpoints
    saver: Saver
    measures: Measures
    spending: Spending = field(default_factory=NoSpending)


class _AnswerFull(Exception):
    """The answer reached MAX_ANSWER_UNITS."""


class Generation:
    """One call of the provider and what has come of it so far.

    Attributes:
        deltas: pieces with text in them.
        pieces: all that the provider has yielded.
        asked_at: when it was made, by `now`.
        last_piece_at: when the provider last yielded one; before that, since when it could have.
        finish: its last word.
        sources, suggestions: what it has added to the text.
        call: what it has told of the model, at last.
        is_complete: it came to its own end.
        is_fallback: there was no money to ask the provider, and the visitor was told that instead.
        fault: what it raised.
    """

    def __init__(
        self,
        turn: Turn,
        question: Question,
        parts: TurnParts,
        now: Callable[[], float],
        history: Sequence[Message] = (),
    ) -> None:
        self.deltas = self.pieces = 0
        self.asked_at = self.last_piece_at = now()
        self.finish: Finish | None = None
        self.sources: tuple[Source, ...] = ()
        self.suggestions: tuple[str, ...] = ()
        self.call = ModelCall()
        self.is_complete = self.is_fallback = False
        self.fault: BaseException | None = None
        self._turn, self._question, self._parts, self._now = turn, question, parts, now
        self._history = history
        self._text: list[str] = []
        self._units = 0
        self._well_formed = WellFormedText()
        self._is_heard = True
        self._prompt: Prompt | None = None
        self._bill: Bill = FREE
        self._has_thought = False
        self._trace = trace_stream(turn.stream_id)
        self._greenlet = gevent.Greenlet(self._run)

    @property
    def text(self) -> str:
        """The answer so far: exactly what is in the stream log."""
        return "".join(self._text)

    @property
    def conversation(self) -> list[str]:
        """All that was said, as far as it is known here: the question, what came before it, the answer."""
        return [self._question.text, *(self._prompt.said if self._prompt else ()), self.text]

    @property
    def length(self) -> int:
        """How many pieces `text` is made of."""
        return len(self._text)

    def text_from(self, piece: int) -> str:
        """The answer so far without its first pieces."""
        return "".join(self._text[piece:])

    @property
    def is_over(self) -> bool:
        """Whether its greenlet has ended."""
        return bool(self._greenlet.ready())

    def start(self, on_over: Callable[[], None]) -> None:
        """Ask the provider. `on_over` is called from the event loop once it is over."""
        self._greenlet.rawlink(lambda _: on_over())
        self._greenlet.start()

    def kill(self) -> None:
        """End it where it stands; nothing is appended any more from here on. Never switches."""
        self._is_heard = False
        self._greenlet.kill(block=False)

    def join(self, timeout_s: float) -> None:
        """Wait until it is over."""
        self._greenlet.join(timeout_s)

    def _run(self) -> None:
        follow(self._trace)
        # What a greenlet raises, gevent prints; what is to be said of it, the turn says.
        try:
            self._ask_provider()
        except (Exception, gevent.Timeout) as fault:  # noqa: BLE001
            self.fault = fault

    def pay(self) -> None:
        """Settle what it has cost, once it is over. Never switches."""
        is_unpaid = isinstance(self.fault, ChatbubbleError) and self.fault.is_unpaid
        said = Said(self.text, self._has_thought, self.finish.usage if self.finish else None)
        self._bill.settle(None if is_unpaid else said)

    def _ask_provider(self) -> None:
        parts, turn, fallback = self._parts, self._turn, self._parts.spending.fallback
        history = self._history or self._wait_for_store(lambda: parts.store.history(turn, HISTORY_MESSAGES))
        self._history = ()
        if not history:
            raise NotFound(detail="the conversation was erased before the provider was asked")
        prompt = self._prompt = build_prompt(
            # That there was no money is no part of the conversation.
            [said for said in history if said.author is not Author.ASSISTANT or said.content != fallback],
            system_prompt=parts.settings.system_prompt,
            context_tokens=parts.settings.context_tokens,
            locale=self._question.locale,
            page=self._question.page,
        )
        self._bill = parts.spending.open_bill(prompt)
        if not self._wait_for_store(self._bill.reserve):
            self.is_fallback = True
            self._say(fallback)
            self.is_complete = True
            return
        self._read(parts.provider.stream(prompt))

    def _read(self, pieces: Iterator[Piece]) -> None:
        try:
            for piece in pieces:
                self._take(piece)
            self._say(self._well_formed.flush())
            self.is_complete = True
        except _AnswerFull:
            self.finish = Finish(FinishReason.LENGTH)
            self.is_complete = True
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()

    def _wait_for_store(self, call: Callable[[], T]) -> T:
        """Do this, which needs the store. The visitor has been told that an answer comes, so a store that is away just
        now, or has no connection free, is waited for. Raises StoreUnavailable."""
        gives_up_at = self._now() + _STORE_WAIT_S
        while True:
            try:
                return call()
            except StoreUnavailable as failure:
                if self._now() >= gives_up_at:
                    raise
                logger.info("stream %s waits for the store: %s", self._turn.stream_id, failure.detail)
            self.last_piece_at = self._now()  # the provider's own time has not begun
            gevent.sleep(_STORE_PAUSE_S)

    def _take(self, piece: object) -> None:
        if isinstance(piece, ModelCall):
            self.call = piece  # no part of the answer, whose time runs on
            return
        self.pieces += 1
        now, before = self._now(), self.last_piece_at
        self.last_piece_at = now
        if isinstance(piece, str):
            if piece:
                self._measure(now, before)
            else:
                self._has_thought = True
            self._say(self._well_formed.push(piece))
        elif isinstance(piece, Finish) and piece.reason in _OWN_REASONS:
            self.finish = piece
        elif isinstance(piece, Sources):
            self._cite(fitting_sources(piece.sources))
        elif isinstance(piece, Suggestions):
            self._suggest(fitting_suggestions(piece.suggestions))
        elif isinstance(piece, Custom) and piece.type not in RESERVED_TYPES:
            self._append(piece)
        else:
            raise TypeError(
                f"a provider should yield str, Finish with stop, length or content_filter, Sources, Suggestions, "
                f"ModelCall, or Custom with a type of its own, but {self._parts.provider.name} yielded {piece!r:.80}"
            )
        if self.pieces % _YIELD_EVERY == 0:
            gevent.sleep(0)

    def _measure(self, now: float, before: float) -> None:
        measures = self._parts.measures
        if self.deltas:
            measures.between_tokens.observe(now - before)
        else:
            measures.first_token.observe(now - self.asked_at)
        self.deltas += 1

    def _say(self, text: str) -> None:
        for part in slices(text, PIECE_CHARS) if text else ():
            units = utf16_length(part)
            if self._units + units > MAX_ANSWER_UNITS:
                raise _AnswerFull
            self._append(Token(part, self._units, _now_ms()))
            self._text.append(part)
            self._units += units
            if len(part) == PIECE_CHARS:
                gevent.sleep(0)  # a huge delta holds nobody else up

    def _cite(self, sources: tuple[Source, ...]) -> None:
        if sources != self.sources:
            self._append(Sources(sources, _now_ms()))
            self.sources = sources

    def _suggest(self, suggestions: tuple[str, ...]) -> None:
        if suggestions != self.suggestions:
            self._append(Suggestions(suggestions, _now_ms()))
            self.suggestions = suggestions

    def _append(self, event: Event) -> None:
        if not self._is_heard:
            # The provider swallowed its GreenletExit.
            raise gevent.GreenletExit
        self._parts.log.append(self._turn.stream_id, event)


def _now_ms() -> int:
    return int(time.time() * 1000)
