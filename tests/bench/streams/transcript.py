"""What a client has read, understood: the body without its chunks, each token with its two times, and whether all is
there once and in order. It knows nothing of the server but where its tokens end."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

from wording import ASKED, STAMP

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_SIZE = re.compile(rb"([0-9A-Fa-f]+)(?:;[^\r\n]*)?\r\n")
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


class Token(NamedTuple):
    """One token as it came: its number, and when it was written and read, in microseconds."""

    number: int
    written_us: int
    read_us: int


@dataclass(frozen=True)
class Count:
    """What is right and wrong with the numbers of one answer's tokens.

    Attributes:
        delivered: how many different ones came of those that were to come.
        lost: how many did not.
        doubled: how many came once more.
        swapped: how many came after one that follows them.
        unknown: how many were never to come.
    """

    delivered: int
    lost: int
    doubled: int = 0
    swapped: int = 0
    unknown: int = 0

    @property
    def is_exact(self) -> bool:
        """Each once, in order, all there."""
        return not (self.lost or self.doubled or self.swapped or self.unknown)


def count(numbers: Sequence[int], expected: int) -> Count:
    """Compare with 1, 2, ... `expected`."""
    if list(numbers) == list(range(1, expected + 1)):  # nearly always
        return Count(expected, 0)
    known = [number for number in numbers if 1 <= number <= expected]
    different = set(known)
    swapped = sum(later < earlier for earlier, later in pairwise(dict.fromkeys(known)))
    doubled = len(known) - len(different)
    return Count(len(different), expected - len(different), doubled, swapped, len(numbers) - len(known))


class Transcript:
    """One response, from the pieces in which it was read.

    Args:
        parts: the pieces; what was not read to its end is understood as far as it goes.
        times_ns: when each was read.
        last_words: the tokens end where the body says this; what it says after it is `summary`.

    Attributes:
        status: of the response; 0 where there is none.
        size: its bytes, with head and chunks.
        is_whole: it came to its end as HTTP knows it.
        body: without chunks, up to the last words.
    """

    def __init__(self, parts: Sequence[bytes], times_ns: Sequence[int], last_words: bytes = b"") -> None:
        raw = b"".join(parts)
        self.size = len(raw)
        head, _, _ = raw.partition(b"\r\n\r\n")
        found = _STATUS.match(head)
        self.status = int(found[1]) if found else 0
        self.is_whole = False
        self._times_ns = times_ns
        self._reached = list(accumulate(map(len, parts)))
        self._places: list[tuple[int, int]] = []  # where each piece of the body begins: in it, and in `raw`
        whole = b"".join(self._dechunk(raw, len(head) + 4, is_chunked=bool(_CHUNKED.search(head))))
        self.body, _, self.summary = whole.partition(last_words) if last_words else (whole, b"", b"")

    def tokens(self) -> list[Token]:
        """Every token that the body has, as it came."""
        return [
            Token(int(found[1]), int(found[2]), self._read_us(found.end() - 1)) for found in STAMP.finditer(self.body)
        ]

    def asked_us(self) -> int | None:
        """When the question reached the model; None before the first token."""
        found = ASKED.search(self.body)
        return int(found[1]) if found else None

    def has_wrong_summary(self, expected: int) -> bool:
        """Whether what comes after the last words says tokens again, and not all of them exactly."""
        said = [int(number) for number, _ in STAMP.findall(self.summary)]
        return bool(said) and not count(said, expected).is_exact

    def _dechunk(self, raw: bytes, at: int, *, is_chunked: bool) -> Iterator[bytes]:
        taken = 0
        if not is_chunked:
            self._places.append((0, at))
            yield raw[at:]
            return
        while found := _SIZE.match(raw, at):  # what is no chunk is no end either
            size = int(found[1], 16)
            if size == 0:
                self.is_whole = True
                return
            piece = raw[found.end() : found.end() + size]
            self._places.append((taken, found.end()))
            yield piece
            taken += len(piece)
            at = found.end() + size + 2

    def _read_us(self, at: int) -> int:
        """When the body's byte at this place was read."""
        begins, raw_begins = self._places[bisect_right(self._places, (at, len(self.body) + self.size)) - 1]
        part = bisect_right(self._reached, raw_begins + at - begins)
        return self._times_ns[part] // 1000
