"""The loads: what is asked of which servers, and what is left of it in the table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_OTHER_FILES = 500
GRACE_S = 12.0  # a server that is behind by then has shown it
REFERENCES = ("nginx", "express", "fastapi", "flask")
OURS = ("chatbubble", "chatbubble-redis")
ALL = ("model", *REFERENCES, *OURS)
SEVERAL = ("chatbubble-2", "chatbubble-4")


@dataclass(frozen=True)
class Load:
    """One load.

    Attributes:
        title: what stands in the report.
        contenders: who is asked, by their names.
        script: which program asks: load.py, idle.py or resumes.py.
        order: what that is told, beside whom to ask.
        nominal_s: how long it takes where nobody is behind.
        grace_s: how much longer it may take.
    """

    name: str
    title: str
    contenders: tuple[str, ...]
    script: str = "load.py"
    order: dict[str, Any] = field(default_factory=dict)
    nominal_s: float = 0.0
    grace_s: float = GRACE_S

    @property
    def limit_s(self) -> float:
        """When it is over, whatever is still to come."""
        return self.nominal_s + self.grace_s

    @property
    def files(self) -> int:
        """How many a server opens: a socket for each reader, and for each answer one to the model."""
        sockets = 1 if self.script == "idle.py" else 2
        return sockets * int(self.order["streams"]) + _OTHER_FILES


def paced(name: str, streams: int, per_second: int, *contenders: str, tokens: int = 200, spread_s: float = 1.0) -> Load:
    """Streams that begin one after the other, and then run side by side."""
    order = {"streams": streams, "tokens": tokens, "per_second": per_second, "spread_s": spread_s}
    title = f"{streams:,} streams, {per_second} tokens a second each"
    return Load(name, title, contenders, order=order, nominal_s=spread_s + tokens / per_second)


def burst(streams: int) -> Load:
    """All questions in one moment."""
    order = {"streams": streams, "tokens": 50, "per_second": 50}
    return Load(f"burst{streams}", f"{streams:,} questions at once", ALL, order=order, nominal_s=1.0, grace_s=30.0)


LOADS = {
    each.name: each
    for each in (
        paced("quiet", 50, 50, *ALL, *SEVERAL),
        paced("shop", 200, 50, *ALL, *SEVERAL),
        paced("evening", 500, 50, *OURS, *SEVERAL),
        paced("busy", 1000, 50, *ALL, *SEVERAL),
        paced("flood", 3000, 50, *ALL, *SEVERAL, spread_s=2.0),
        paced("fast", 100, 300, *ALL, tokens=1200),
        burst(200),
        burst(1000),
        Load(
            "single",
            "one question after the other",
            ALL,
            order={"streams": 40, "tokens": 3, "per_second": 50, "one_by_one": True},
            nominal_s=4.0,
        ),
        Load(
            "idle",
            "10,000 listeners on `GET /stream`, nothing to hear",
            ("chatbubble",),
            "idle.py",
            {"streams": 10_000, "spread_s": 10.0, "stay_s": 5.0},
            nominal_s=30.0,
        ),
        Load(
            "resumes",
            "1,000 readers come back at once, each for 200 events; delays are those of 20 others",
            OURS,
            "resumes.py",
            {"streams": 1000, "others": 20, "tokens": 200, "per_second": 50},
            nominal_s=60.0,
        ),
    )
}
# What a server does before it is measured: imports and compilers have done their work then.
WARM_UP = paced("warm-up", 20, 50, tokens=50, spread_s=0.2)
