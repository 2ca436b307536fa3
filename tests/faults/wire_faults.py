"""What may befall the bytes of one connection, as scripts: pure data, which a seed gives again and text can say.

A script is the faults of one connection, each with the byte before which it sets in:

    812            cut there: both ends are closed
    812:rst        the client gets a reset
    812:fin        the client is told that the answer is over; the server goes on to a client that has gone
    812:half       the server is told that the client sends nothing more, while that one still reads
    812:hole=2     nothing passes any more, either way, and nobody is told; after 2 s the line is cut
    812:delay=0.5  what follows comes so many seconds later
    812:slice=1    what follows comes in pieces of one byte
    812:merge=0.3  what comes within 0.3 s comes at once
    812:throttle=2000  what follows comes at so many bytes a second

Several are joined by commas, `300:slice=1,812:rst`. They count the bytes of the answer; with `<` before it, a fault
counts those of the request: `<40:rst`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_WRITTEN = re.compile(r"(<?)(\d+)(?::([a-z]+)(?:=([\d.]+))?)?")


class Kind(StrEnum):
    """What happens. The first five end a connection, the others change how its bytes come."""

    CUT = "cut"
    RESET = "rst"
    FIN = "fin"
    HALF_CLOSE = "half"
    BLACK_HOLE = "hole"
    DELAY = "delay"
    SLICE = "slice"
    MERGE = "merge"
    THROTTLE = "throttle"


ENDINGS = (Kind.CUT, Kind.RESET, Kind.FIN, Kind.HALF_CLOSE, Kind.BLACK_HOLE)
# What stands behind the equals sign where a script does not say it: seconds, or bytes.
_VALUES = {Kind.BLACK_HOLE: 2.0, Kind.DELAY: 0.1, Kind.SLICE: 1.0, Kind.MERGE: 0.1, Kind.THROTTLE: 20_000.0}


@dataclass(frozen=True)
class Fault:
    """One thing that happens before byte number `at` of the answer, or of the request."""

    at: int
    kind: Kind = Kind.CUT
    value: float = 0.0
    is_on_request: bool = False

    def __str__(self) -> str:
        side, value = "<" if self.is_on_request else "", f"={self.value:g}" if self.value else ""
        return f"{side}{self.at}:{self.kind}{value}"


@dataclass(frozen=True)
class Script:
    """All that happens to one connection."""

    faults: tuple[Fault, ...] = ()

    def __str__(self) -> str:
        return ",".join(map(str, self.faults))

    def side(self, *, is_on_request: bool) -> list[Fault]:
        """What happens in one direction, in order."""
        return sorted(
            (fault for fault in self.faults if fault.is_on_request == is_on_request), key=lambda each: each.at
        )


def cut(after_bytes: int, kind: Kind = Kind.CUT) -> Script:
    """The script of a connection that ends after so many bytes of the answer."""
    return Script((Fault(after_bytes, kind),))


def read_script(text: str) -> Script:
    """A script as text says it. Raises ValueError for what is none."""
    return Script(tuple(_read_fault(word) for word in text.split(",")))


def random_cuts(chance: random.Random, most: int, longest: int) -> list[Script]:
    """One to `most` connections that are cut, by FIN or RST, for an answer of about `longest` bytes that is read on
    after each of them: a third among the first 600 bytes, where the head, the first line and the first event are, the
    others anywhere in what may be left of it."""
    return [cut(at, chance.choice((Kind.CUT, Kind.RESET))) for at in _places(chance, most, longest)]


def random_scripts(chance: random.Random, most: int, longest: int) -> list[Script]:
    """One to `most` connections that end in any way, at places as those of `random_cuts`; before that, each of them
    may be slow, or in small or large pieces, and in one of ten it is the request that does not arrive whole."""
    return [Script(tuple(_random_faults(chance, at))) for at in _places(chance, most, longest)]


def _places(chance: random.Random, most: int, longest: int) -> Iterable[int]:
    for number in range(1, 1 + chance.randint(1, most)):
        yield chance.randrange(600 if chance.random() < 1 / 3 else 1 + longest // number)


def _random_faults(chance: random.Random, at: int) -> Iterable[Fault]:
    if chance.random() < 0.1:
        yield Fault(chance.randrange(300), chance.choice((Kind.CUT, Kind.RESET)), is_on_request=True)
        return
    if chance.random() < 0.5:
        kind = chance.choice((Kind.DELAY, Kind.SLICE, Kind.MERGE, Kind.THROTTLE))
        yield Fault(chance.randrange(1 + at), kind, _VALUES[kind])
    ending = chance.choice(ENDINGS)
    yield Fault(at, ending, 0.5 if ending is Kind.BLACK_HOLE else 0.0)


def _read_fault(word: str) -> Fault:
    written = _WRITTEN.fullmatch(word.strip())
    if written is None or (written[3] or "cut") not in list(Kind):
        raise ValueError(f"a fault is like 812, 812:rst, 300:slice=1 or <40:rst, not {word!r}")
    kind = Kind(written[3] or "cut")
    value = float(written[4]) if written[4] else _VALUES.get(kind, 0.0)
    return Fault(int(written[2]), kind, value, bool(written[1]))
