"""What a campaign is, and what it hands back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from checker import Rule, Violation
from ground import Ground, World


@dataclass
class Outcome:
    """What came of one run: what was done, how often; what was wrong; and how long each recovery took, in seconds.
    `shortfalls` say in a sentence each what the run should have done and did not, so that its result says nothing;
    `figures` is what else is worth telling, by name."""

    counts: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    recoveries_s: list[float] = field(default_factory=list)
    shortfalls: list[str] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether it was all that it should be, and nothing was wrong."""
        return not (self.violations or self.shortfalls)

    def take(self, world: World) -> None:
        """Add what the world has counted and found."""
        self.counts["answers"] += world.answers
        self.counts["events accepted"] += world.events
        self.counts["model calls"] += world.teller.calls
        self.violations += world.violations
        self.violations += [Violation(Rule.CALLS, tag, who, "asked once more") for tag, who in world.teller.late]

    def expect(self, is_so: bool, otherwise: str) -> None:
        """Note a shortfall where something is not as it has to be."""
        if not is_so:
            self.shortfalls.append(otherwise)


@dataclass(frozen=True)
class Campaign:
    """One kind of fault, many times over. `whole` and `short` are how many of `unit` each form does; one that is not
    routine is run only where it is named."""

    name: str
    title: str
    unit: str
    whole: int
    short: int
    run: Callable[[Ground, int, int], Outcome]
    is_routine: bool = True
