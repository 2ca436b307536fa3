"""What the load asks, and what the model says: a question says how to answer, and each token when it was written."""

from __future__ import annotations

import re
import time

# A token's number, from 1, and when the model wrote it: microseconds of CLOCK_MONOTONIC, which all processes of a
# machine read alike. The first one also tells when the question came.
TOKEN = b" word[%04d:%014d]"
FIRST_TOKEN = b"word[%04d:%014d] (asked %014d)"
STAMP = re.compile(rb"\[(\d{4}):(\d{14})\]")
ASKED = re.compile(rb"\(asked (\d{14})\)")
MOST_TOKENS = 9999

_QUESTION = "Say {tokens} tokens at {per_second} a second, the first after {think_ms} ms."
_ASKED = re.compile(rb"Say (\d{1,4}) tokens at (\d+) a second, the first after (\d+) ms\.")


def question(tokens: int, per_second: int, think_ms: int = 0) -> str:
    """The question that is answered like this. `tokens`: 1 to MOST_TOKENS."""
    if not 1 <= tokens <= MOST_TOKENS or per_second < 1 or think_ms < 0:
        raise ValueError(f"nobody can say {tokens} tokens at {per_second} a second after {think_ms} ms")
    return _QUESTION.format(tokens=tokens, per_second=per_second, think_ms=think_ms)


def understood(request: bytes) -> tuple[int, int, int] | None:
    """Tokens, tokens a second and milliseconds before the first, from a request with such a question; None without."""
    found = _ASKED.search(request)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def now_us() -> int:
    """The clock of all stamps."""
    return time.monotonic_ns() // 1000
