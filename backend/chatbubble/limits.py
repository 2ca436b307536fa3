"""How much may be asked: by a visitor, from an address, and of the whole site."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerSecond, parse_many

from .config import PREFIX, Settings
from .errors import ConfigError, RateLimited
from .places import MemoryPlaces, Places
from .windows import Claim, MemoryWindows, NoPlaceError, Taken, Windows

# Feedback calls no model: this is more than anybody who reads would give.
FEEDBACK_RATE = "30/minute;300/day"
# What somebody gets who tries keys; a site whose tokens are in order never comes near.
REFUSED_TOKENS_RATE = "30/minute"

# Whoever is refused may have asked the same before, and only the store knows. For a flood it is not asked: who really
# sends a question again comes through a little later. Ten looks take 20 to 40 ms: every ten seconds, since as often as
# every second the slowest hundredth of 2,000 refusals a second took 9 ms and not 1.6.
_LOOKS = RateLimitItemPerSecond(10)

_BUSY_S = 5  # until when a stream or a running answer ends, nobody knows
_MOST_KNOWN = 10_000
_BELIEVED_S = 10.0

# The settings that are rules: of a visitor's questions, of an address's, and of those that open a conversation.
RATES = ("rate_limit", "address_rate_limit", "new_visitors_limit")

Rules = tuple[RateLimitItem, ...]


@dataclass(slots=True)
class _Full:
    """An address that has had its questions, and until when; and until when that is believed without another look."""

    until: float
    believed_until: float
    is_flood: bool = False


class QuestionLimits:
    """Counts questions that begin a turn: by visitor, by address, and by address those that open a conversation."""

    def __init__(self, windows: Windows, visitor: Rules, address: Rules, opening: Rules) -> None:
        self._windows = windows
        self._visitor, self._address, self._opening = visitor, address, opening
        self._known: dict[str, None] = {}
        self._looks = MemoryWindows()
        self._full: dict[str, _Full] = {}

    @property
    def has_floods(self) -> bool:
        """Whether any address may be one that a flood comes from."""
        return bool(self._full)

    def flood_wait_s(self, address: str) -> int | None:
        """After how many seconds an address may ask again that has had its questions, and its looks into the store as
        well. None where it has not, or where that should be looked at again."""
        full, now = self._full.get(address), time.monotonic()
        if full is None or not full.is_flood or now >= full.believed_until:
            return None
        return _whole_seconds(full.until - now)

    def refuse_flood(self, address: str) -> None:
        """Refuse, unread, a question that would only be refused after all. Raises RateLimited."""
        wait_s = self.flood_wait_s(address)
        if wait_s is not None:
            raise RateLimited(retry_after_s=wait_s)

    @contextmanager
    def hold(self, visitor_id: str, address: str, is_known: Callable[[], bool]) -> Iterator[Callable[[bool], None]]:
        """Hold a place for one question within the block; what the block gets counts it.

        Not counted, the place is free again afterwards, and nobody else could have it meanwhile. Whoever counts it
        says whether it has opened a conversation.

        Args:
            visitor_id: who asks.
            address: from where, as Addresses tells it.
            is_known: whether the visitor has a conversation; asked where the address has no place for a new one.

        Raises:
            RateLimited: there is no place; with the seconds to wait.
        """
        asked = [*_claims(self._visitor, "visitor", visitor_id), *_claims(self._address, "address", address)]
        opening = [] if visitor_id in self._known else _claims(self._opening, "opening", address)
        try:
            taken = self._windows.take(asked + opening)
        except NoPlaceError as full:
            self._note_full(address, full.waits[len(self._visitor) : len(asked)])
            if any(full.waits[: len(asked)]) or not (self.may_look(address) and is_known()):
                raise _refusal(full.waits) from None
            opening = []
            taken = self._take(asked)
        unused = asked + opening
        try:
            yield lambda is_first: self._keep(visitor_id, unused, [] if is_first else opening)
        finally:
            taken.give_back(unused)

    def may_look(self, address: str) -> bool:
        """Whether the store may be asked once more about a question from this address that is refused."""
        try:
            self._looks.take([Claim(_LOOKS, _subject("look", address))])
        except NoPlaceError:
            if address in self._full:
                self._full[address].is_flood = True
            return False
        return True

    def forget(self, visitor_id: str) -> None:
        """The visitor has no conversation any more: the next question opens one."""
        self._known.pop(visitor_id, None)

    def _take(self, claims: Sequence[Claim]) -> Taken:
        try:
            return self._windows.take(claims)
        except NoPlaceError as full:
            raise _refusal(full.waits) from None

    def _note_full(self, address: str, waits: Sequence[float]) -> None:
        wait_s = max(waits, default=0)
        if wait_s:
            now = time.monotonic()
            if len(self._full) >= _MOST_KNOWN:
                self._full.clear()
            self._full[address] = _Full(now + wait_s, now + min(wait_s, _BELIEVED_S))

    def _keep(self, visitor_id: str, unused: list[Claim], opening: Sequence[Claim]) -> None:
        """Leave of the places that are given back those alone that the question did not need."""
        unused[:] = opening
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[visitor_id] = None


class Tries:
    """Counts what is done of one kind, by who does it."""

    def __init__(self, windows: Windows, rules: Rules, kind: str) -> None:
        self._windows, self._rules, self._kind = windows, rules, kind

    @contextmanager
    def count_failures(self, name: str, failure: type[Exception]) -> Iterator[None]:
        """Hold a place for one try within the block, and count it if it ends so. Raises RateLimited."""
        with self.hold(name) as count:
            try:
                yield
            except failure:
                count()
                raise

    @contextmanager
    def hold(self, name: str) -> Iterator[Callable[[], None]]:
        """As QuestionLimits.hold."""
        unused = _claims(self._rules, self._kind, name)
        try:
            taken = self._windows.take(unused)
        except NoPlaceError as full:
            raise _refusal(full.waits) from None
        try:
            yield unused.clear
        finally:
            taken.give_back(unused)


class Bound:
    """At most so many of a kind at once, under each name; with `most` 0 any number."""

    def __init__(self, places: Places, kind: str, most: int) -> None:
        self._places, self._kind, self._most = places, kind, most

    def enter(self, name: str = "") -> None:
        """Take a place, to be left again. Raises RateLimited when none is free."""
        if self._most and not self._places.enter(_subject(self._kind, name), self._most):
            raise RateLimited(
                "The chat is very busy. Please try again in a moment.",
                retry_after_s=_BUSY_S,
                detail=f"{self._most} {self._kind} at once are as many as there may be",
            )

    def add(self, name: str = "") -> None:
        """Take a place, whether one is free or not. Never switches."""
        if self._most:
            self._places.add(_subject(self._kind, name))

    def leave(self, name: str = "") -> None:
        """Free a place. Never switches."""
        if self._most:
            self._places.leave(_subject(self._kind, name))

    @contextmanager
    def hold(self, name: str = "") -> Iterator[Callable[[], None]]:
        """A place for as long as the block takes or, once what the block gets was called, until `leave`.

        Raises RateLimited.
        """
        self.enter(name)
        kept: list[str] = []
        try:
            yield lambda: kept.append(name)
        finally:
            if not kept:
                self.leave(name)


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits of one app. `feedback` is a visitor's; `tokens` are those that were refused, and `streams` those that
    are open, from one address, and `reads` those of its long answers that are still being sent; `turns` are those of
    the whole site."""

    questions: QuestionLimits
    feedback: Tries
    tokens: Tries
    streams: Bound
    reads: Bound
    turns: Bound


def create_limits(settings: Settings, windows: Windows | None = None, places: Places | None = None) -> Limits:
    """What the settings ask for, counted in `windows` and `places`, or in this process's memory.

    Raises ConfigError when a rule cannot be read.
    """
    windows, places = windows or MemoryWindows(), places or MemoryPlaces()
    visitor, address, opening = (read_rules(settings, name) for name in RATES)
    feedback, tokens = (tuple(parse_many(rate)) for rate in (FEEDBACK_RATE, REFUSED_TOKENS_RATE))
    if is_off(settings):
        visitor = address = opening = feedback = tokens = ()
    return Limits(
        QuestionLimits(windows, visitor, address, opening),
        Tries(windows, feedback, "feedback"),
        # Here alone, and not where others count: who signs in should not have to wait for a Redis.
        Tries(MemoryWindows(), tokens, "token"),
        Bound(places, "streams", 0 if is_off(settings) else settings.address_streams),
        # Of this process, whose memory they take.
        Bound(MemoryPlaces(), "reads", 0 if is_off(settings) else settings.address_streams),
        Bound(places, "turns", 0 if is_off(settings) else settings.running_turns),
    )


def is_off(settings: Settings) -> bool:
    """Whether there are no limits at all."""
    return settings.rate_limit.lower() == "off"


def read_rules(settings: Settings, name: str) -> Rules:
    """The rules of one of RATES; none where it is off. Raises ConfigError."""
    text: str = getattr(settings, name)
    if text.lower() == "off":
        return ()
    try:
        rules = tuple(parse_many(text))
    except ValueError:
        rules = ()
    if not rules or any(rule.amount < 1 or rule.multiples < 1 for rule in rules):
        raise ConfigError(f"{PREFIX}{name.upper()} should be like 10/minute;100/day, or off, but it is {text!r:.80}")
    return rules


def _claims(rules: Rules, kind: str, name: str) -> list[Claim]:
    subject = _subject(kind, name)
    return [Claim(rule, subject) for rule in rules]


def _subject(kind: str, name: str) -> str:
    """Under which name something is counted. Not the visitor's own: what is erased must not be found by it."""
    return f"{kind}:{hashlib.blake2b(f'{kind} {name}'.encode(), digest_size=16).hexdigest()}"


def _refusal(waits: Sequence[float]) -> RateLimited:
    # Once the last of them lets go: coming back earlier would only be refused again.
    return RateLimited(retry_after_s=_whole_seconds(max(waits)))


def _whole_seconds(wait_s: float) -> int:
    return max(1, math.ceil(wait_s))
