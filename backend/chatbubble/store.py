"""The ConversationStore contract: what is remembered after streams have expired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from .budget import Reservation, Standing
from .records import Answer, Conversation, Feedback, Message, Question, Turn

HISTORY_MESSAGES = 100  # more than fit into any prompt that is worth its price


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of a question: a new turn, or the one its request id already has. A turn that `is_first` has opened
    its visitor's conversation. `history` is that of a new turn, as ConversationStore.history gives it."""

    turn: Turn
    is_new: bool
    is_first: bool = False
    history: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A turn with the answer it ended in; `answer` is None while it runs."""

    turn: Turn
    answer: Message | None


@dataclass(frozen=True, slots=True)
class AnswerPart:
    """Some text of a running answer. Parts join in the order of `position`, which says
    nothing else; the one that comes twice counts once. `attempt` is its turn's."""

    stream_id: str
    position: int
    text: str
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Purged:
    """Of some of all conversations: how many were deleted, and after which one to go on, None at the end."""

    conversations: int
    next: str | None


class ConversationStore(Protocol):
    """Every method is one transaction. All raise StoreUnavailable when it cannot be run."""

    def open(self) -> None:
        """Create or check the schema; called once, before anything else."""
        ...

    def begin_turn(self, question: Question, stream_id: str) -> Admission:
        """Save the visitor's message and open a turn for it, or find the turn that the
        same request id has already opened. A new turn comes with its newest HISTORY_MESSAGES.

        The turn that a new one `replaces`, if it is one of this conversation, is kept but
        no longer told: neither `history` nor `conversation` has its messages.

        Raises:
            TurnRunning: another turn of this conversation runs; carries its `streamId`.
            RequestMismatch: the request id is known with another text.
        """
        ...

    def find_request(self, question: Question) -> Turn | None:
        """The turn that the question's request id has already opened, or None.

        Raises RequestMismatch when it was opened with another text.
        """
        ...

    def history(self, turn: Turn, limit: int) -> tuple[Message, ...]:
        """The newest `limit` messages up to and including the turn's question, oldest first,
        without those of replaced turns."""
        ...

    def save_parts(self, parts: Sequence[AnswerPart]) -> None:
        """Keep what is new of some running answers, in case this process dies before it
        finishes them. A part of a turn that is not running any more is ignored, and so is one
        of an earlier attempt."""
        ...

    def finish_turn(self, turn: Turn, answer: Answer) -> bool:
        """Save the answer and end the turn, once. False when the turn is not running
        any more, was begun anew or was erased: then nothing is written."""
        ...

    def find_turn(self, stream_id: str, visitor_id: str | None = None) -> StoredTurn | None:
        """The turn that wrote a stream, or None.

        With `visitor_id` None also where it is somebody else's, and as soon: nobody should be able to tell by the
        time whether there is one.
        """
        ...

    def conversation(self, visitor_id: str) -> Conversation | None:
        """The visitor's conversation with all its messages but those of replaced turns; None
        before the first question."""
        ...

    def save_feedback(self, visitor_id: str, message_id: str, feedback: Feedback | None) -> bool:
        """Keep what the visitor thinks of an answer, in place of what they said of it before;
        None takes it back. False when the message is no answer of theirs."""
        ...

    def adopt(self, visitor_id: str, nameless_id: str) -> tuple[str, ...]:
        """Make what `nameless_id` has said, and was answered, `visitor_id`'s: with what that one has said already, in
        the order in which all of it came. Returns the ids of the streams that change hands; none where there is
        nothing, as for whoever asks a second time.

        A request id that both have used stays with `visitor_id`'s own question; the other one gets a new one.

        Raises TurnRunning while a turn of either runs; carries its `streamId`.
        """
        ...

    def erase(self, visitor_id: str) -> tuple[str, ...]:
        """Delete everything the visitor has; returns the ids of the streams that were theirs."""
        ...

    def interrupt_running(self) -> int:
        """End every turn that an earlier process left running, with the parts that were
        saved as its answer; returns how many."""
        ...

    def restart_turn(self, stream_id: str) -> Turn | None:
        """Begin a running turn anew, without the parts that were saved: whoever has run it so far can
        save nothing more of it. None when it does not run."""
        ...

    def interrupt_turn(self, stream_id: str) -> bool:
        """End one turn as `interrupt_running` does. False when it does not run."""
        ...

    def running_streams(self) -> tuple[str, ...]:
        """The streams of all turns that run, in whatever process."""
        ...

    def is_ready(self) -> bool:
        """Whether a trivial query succeeds. Never raises."""
        ...

    def close(self) -> None:
        """Finish queued writes and release the database."""
        ...


@runtime_checkable
class QueueingStore(Protocol):
    """A store that can say how much is waiting for it; it need not."""

    @property
    def queue_length(self) -> int:
        """Transactions that wait or run now."""
        ...


@runtime_checkable
class LedgerStore(Protocol):
    """A store that also keeps account of what answers cost; CHATBUBBLE_DAILY_BUDGET needs one.

    Its word counts for all processes that share it, and after a restart. Money is in millionths, days are dates in
    UTC. Every method is one transaction, may be repeated, and raises StoreUnavailable when it cannot be run. What a
    visitor has erased has been spent all the same: nothing here refers to anybody.
    """

    def reserve(self, reservation: Reservation, cap: int) -> tuple[bool, Standing]:
        """Put the amount aside, unless its day would come to more than `cap` if all that is put aside were spent;
        whether it is, and how the day stands. What nobody settles stays aside: it counts as spent."""
        ...

    def settle(self, reservation: Reservation, cost: int) -> Standing:
        """Spend `cost` instead of what is put aside, once; how the day stands."""
        ...

    def cancel(self, reservation: Reservation) -> Standing:
        """Put nothing aside for it, also where `reserve` is only to come or on its way; how the day stands."""
        ...

    def standing(self, day: str) -> Standing:
        """How a day stands."""
        ...

    def announce(self, day: str, amount: int) -> bool:
        """Whether nobody was told yet that a day has cost so much. From now on they have been."""
        ...


@runtime_checkable
class RetainingStore(Protocol):
    """A store that can let go of what is old, and that other programs may erase from; it need not."""

    def purge(self, before: int, after: str = "") -> Purged | None:
        """Delete some of the conversations in which nothing was said since `before`, in milliseconds since the Unix
        epoch, and no answer runs; None where another process is at it. Raises StoreUnavailable."""
        ...

    def erased_elsewhere(self) -> tuple[str, ...]:
        """The streams that another program has erased within the last hour. Raises StoreUnavailable."""
        ...
