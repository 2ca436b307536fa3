"""When to ask a model's server again: seldom, politely, and not for long."""

from __future__ import annotations

import email.utils
import random
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

MAX_RETRIES = 2
BUDGET_S = 8.0
FIRST_DELAY_S = 0.5


class Retries:
    """The retries of one question: at most two, each begun within 8 seconds of the first attempt."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._deadline = now() + BUDGET_S
        self._taken = 0

    def next_delay_s(self, wished_s: float | None = None) -> float | None:
        """How long to wait before the next attempt; None when there shall be none.
        `wished_s` is what the server asked for: a wait that would pass the budget is not
        shortened, since the server would only refuse again."""
        if self._taken == MAX_RETRIES:
            return None
        delay_s = wished_s or FIRST_DELAY_S * 2**self._taken * random.uniform(0.5, 1)
        if self._now() + delay_s >= self._deadline:
            return None
        self._taken += 1
        return delay_s

    def shorten_s(self, timeout_s: float) -> float:
        """`timeout_s`, but a retry must also be connected within the budget."""
        return timeout_s if self._taken == 0 else max(0.1, min(timeout_s, self._deadline - self._now()))


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """The wait in seconds that a response asks for, or None: `retry-after-ms`, or
    `Retry-After` in seconds or as a date."""
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        text = headers.get(name, "")
        if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text, re.ASCII):
            return float(text) / per_second
    try:
        date = email.utils.parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
