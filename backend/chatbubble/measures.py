"""What one mounted chat counts of itself: plain numbers, cheap enough for the path of every token.

How they are told is not known here: `metrics.py` does that for Prometheus. All of it is counted in the event
loop's own thread, so nothing needs a lock.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from .records import TurnState

FIRST_TOKEN_S = (0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30, 60)
BETWEEN_TOKENS_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
TURN_S = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
HUB_LAG_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Histogram:
    """How often something took how long.

    Attributes:
        bounds_s: the upper ends of the buckets, in seconds, each within its bucket.
        counts: how many fell into each bucket; the last one has no upper end.
        sum_s: all of it together, in seconds.
    """

    __slots__ = ("bounds_s", "counts", "sum_s")

    def __init__(self, bounds_s: tuple[float, ...]) -> None:
        self.bounds_s = bounds_s
        self.counts = [0] * (len(bounds_s) + 1)
        self.sum_s = 0.0

    def observe(self, seconds: float) -> None:
        """Count one more."""
        self.counts[bisect_left(self.bounds_s, seconds)] += 1
        self.sum_s += seconds


@dataclass(slots=True)
class Measures:
    """All that is counted, since the start.

    Attributes:
        first_token: from the question's admission to the first text of its answer.
        between_tokens: from each piece of an answer to the text that follows it.
        turn: from a question's admission to the end of its turn.
        hub_lag: by how much the event loop woke up too late.
        outcomes: turns that ended, by how.
        turn_errors: turns that ended in an error, by its code.
        upstream_faults_in_a_row: turns that ended by a fault of the provider, since the last that was answered.
        refusals: requests that were refused before a stream, by the error's code.
        taken_over: turns of processes that died or hung: `run_again`, `ended` or `saved` by this one.
        resumes: streams read on with `GET /chat/<streamId>`.
        polls: times that somebody asked for what there was of an answer, with `?wait=`.
        resets: readers who were told to forget what they had read.
        drops: streams whose reader was gone before the last event.
        aborts: times that somebody pressed Stop.
        saved_late: answers saved later than they ended, since the store was away.
        late_saves: answers that still wait for that.
        saved_never: answers that could not wait for it, as their visitors were told.
        fallbacks: questions that no model was asked, since the day's budget was spent.
        prompt_tokens, completion_tokens: as the model's server counted them.
    """

    first_token: Histogram = field(default_factory=partial(Histogram, FIRST_TOKEN_S))
    between_tokens: Histogram = field(default_factory=partial(Histogram, BETWEEN_TOKENS_S))
    turn: Histogram = field(default_factory=partial(Histogram, TURN_S))
    hub_lag: Histogram = field(default_factory=partial(Histogram, HUB_LAG_S))
    outcomes: Counter[TurnState] = field(default_factory=Counter)
    turn_errors: Counter[str] = field(default_factory=Counter)
    upstream_faults_in_a_row: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    taken_over: Counter[str] = field(default_factory=Counter)
    resumes: int = 0
    polls: int = 0
    resets: int = 0
    drops: int = 0
    aborts: int = 0
    saved_late: int = 0
    late_saves: int = 0
    saved_never: int = 0
    fallbacks: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
