"""What may not be logged: the words of a conversation, and more lines than one.

The model's server and providers of one's own say in their errors what they were asked, now and then. Their words
are needed to find out what is wrong; those of visitors are nobody's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

WITHHELD = "... (withheld: it repeats the conversation)"
# Of a run of REPEATED characters, one whole piece of PIECE begins at a multiple of STEP.
REPEATED = 11
_PIECE, _STEP = 8, 4
_SHORTEST = 3


def withhold(words: str, said: Iterable[str]) -> str:
    """`words` without what repeats something that was `said`.

    A line ends where it begins to repeat REPEATED characters in a row, or the whole of something shorter. Of less
    than 3 characters nothing can be known.
    """
    texts = [text for text in {*said} if len(text) >= _SHORTEST]
    # Errors are often put on one line, with single blanks.
    whole = "\n".join([*texts, *(" ".join(text.split()) for text in texts)])
    short = [_alone(text) for text in texts if len(text) < REPEATED]
    return "\n".join(_cut(line, whole, short) for line in words.split("\n"))


def on_one_line(words: str) -> str:
    """`words` as a part of one line of a log: line ends, and whatever else does not print, as Python escapes them.

    Strangers choose some words in errors, and could else write lines of the log themselves.
    """
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in words)


def _alone(text: str) -> re.Pattern[str]:
    """The text, and where words have blanks between them not within a longer word."""
    return re.compile(rf"(?<!\w){re.escape(text)}(?!\w)" if text.isascii() else re.escape(text))


def _cut(line: str, whole: str, short: list[re.Pattern[str]]) -> str:
    found = [match.start() for text in short if (match := text.search(line))]
    for place in range(0, len(line) - _PIECE + 1, _STEP):
        if line[place : place + _PIECE] in whole:
            start, end = _grown(line, place, whole)
            if end - start >= REPEATED:
                found.append(start)
                break
    return f"{line[: min(found)].rstrip()} {WITHHELD}".lstrip() if found else line


def _grown(line: str, start: int, whole: str) -> tuple[int, int]:
    """All of the repetition around the piece at `start`, from where to where."""
    end = start + _PIECE
    while start > 0 and line[start - 1 : end] in whole:
        start -= 1
    while end < len(line) and line[start : end + 1] in whole:
        end += 1
    return start, end
