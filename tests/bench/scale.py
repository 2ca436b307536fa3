"""What 10 thousand, a million and 100 million visitors a day need: simulated, from measured costs.

    python tests/bench/scale.py            prints the tables of docs/scale.md
    python tests/bench/scale.py --write    and puts them there

Visitors arrive at random (a Poisson process, as people who do not know of each other do), answers are as long as
answers are (log-normal), and each lasts as long as the model takes to say it. The same seed gives the same tables,
and a test compares them with the page. Everything that was measured stands in MEASURED, everything assumed in ASSUMED.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
SEED = 20261122
DAY_S = 86_400
MOST_ARRIVALS = 200_000


@dataclass(frozen=True)
class Measured:
    """What one thing costs us; docs/scale.md tells how each was measured."""

    token_us: float = 15.0
    question_ms: float = 23.1
    resume_ms: float = 1.8
    idle_kb: float = 31.0
    running_kb: float = 98.0
    wire_bytes: float = 99.0
    redis_us: float = 5.0
    redis_bytes: float = 68.0
    stores_ms: float = 6.9
    row_bytes: float = 3_100.0


@dataclass(frozen=True)
class Assumed:
    """What visitors do, and what things cost to rent."""

    asking: float = 0.03
    questions: float = 2.5
    pages: float = 4.0
    peak: float = 3.0
    median_tokens: float = 180.0
    sigma: float = 0.8
    tokens_per_s: float = 50.0
    first_token_s: float = 0.8
    page_gzip_bytes: float = 1_536.0
    chat_gzip_bytes: float = 40_000.0
    core_hour_usd: float = 0.04
    egress_gb_usd: float = 0.05
    model_million_usd: float = 0.60


MEASURED, ASSUMED = Measured(), Assumed()
SCALES = (10_000, 1_000_000, 100_000_000)
USED = 0.6  # of a processor: what is left is for herds
KEPT_S = 600  # how long Redis keeps an answer that has ended


@dataclass(frozen=True)
class Demand:
    """The busiest hour of a day."""

    visitors: int
    questions_per_s: float
    tokens: float
    in_flight: float
    most_in_flight: int

    @property
    def tokens_per_s(self) -> float:
        """Of all answers together."""
        return self.questions_per_s * self.tokens


def answer_tokens(chance: random.Random) -> int:
    """How long one answer is."""
    return max(1, round(chance.lognormvariate(math.log(ASSUMED.median_tokens), ASSUMED.sigma)))


def simulate_peak(visitors: int, seed: int = SEED) -> Demand:
    """Let questions arrive for the busiest hour, or for as many as tell enough, and count who is being answered."""
    chance = random.Random(f"{seed}.{visitors}")
    per_s = visitors * ASSUMED.asking * ASSUMED.questions * ASSUMED.peak / DAY_S
    count = int(min(MOST_ARRIVALS, max(20_000, per_s * 3600)))
    now = tokens = waited = 0.0
    most, ends = 0, list[float]()
    for _ in range(count):
        now += chance.expovariate(per_s)
        while ends and ends[0] <= now:
            heapq.heappop(ends)
        length = answer_tokens(chance)
        lasts_s = ASSUMED.first_token_s + length / ASSUMED.tokens_per_s
        tokens, waited = tokens + length, waited + lasts_s
        heapq.heappush(ends, now + lasts_s)
        most = max(most, len(ends))
    return Demand(visitors, per_s, tokens / count, waited / now, most)


@dataclass(frozen=True)
class Herd:
    """Everybody who was cut at one moment, until all are reading again."""

    readers: int
    processes: int
    busiest: float
    p99_s: float
    last_s: float


def simulate_herd(readers: int, processes: int, span_s: float, seed: int = SEED) -> Herd:
    """`readers` are cut; each comes back at a moment of its own within `span_s`, to any of `processes`, which serve
    them one after the other beside what they have to do anyway."""
    chance = random.Random(f"{seed}.{readers}.{processes}.{span_s}")
    arrivals = sorted(chance.random() * span_s for _ in range(readers))
    each_s = MEASURED.resume_ms / 1000 / (1 - USED)
    free_at = [0.0] * processes
    waits, buckets = [], [0] * (int(span_s * 10) + 1)
    for at in arrivals:
        buckets[int(at * 10)] += 1
        process = chance.randrange(processes)
        free_at[process] = max(free_at[process], at) + each_s
        waits.append(free_at[process] - at)
    waits.sort()
    return Herd(readers, processes, max(buckets) / readers, waits[int(len(waits) * 0.99)], max(free_at))


def cores_for(demand: Demand) -> float:
    """Processors that answers take, at USED of each."""
    streaming = demand.tokens_per_s * MEASURED.token_us / 1e6
    asking = demand.questions_per_s * MEASURED.question_ms / 1e3
    return (streaming + asking) / USED


def table(*rows: Sequence[str]) -> str:
    """In Markdown; the first row is the head."""
    head, *rest = rows
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rest))


def tell_costs() -> Iterator[Sequence[str]]:
    """What one of each costs, and which load of `make bench` says so."""
    yield "a token, on top of its question", f"{MEASURED.token_us:g} us of a core", "`shop`, less `single`"
    yield (
        "a question, with all that it has begun and saved",
        f"{MEASURED.question_ms:g} ms of a core",
        "`single`, Redis",
    )
    yield "a reader who comes back", f"{MEASURED.resume_ms:g} ms of a core", "`resumes`"
    yield "a running answer in memory", f"{MEASURED.running_kb:g} KB", "`shop`"
    yield "an open stream without an answer", f"{MEASURED.idle_kb:g} KB", "`idle`"
    yield "a token on its way to the reader", f"{MEASURED.wire_bytes:g} bytes", "`shop`"
    yield "a token, at Redis, at most", f"{MEASURED.redis_us:g} us of a core", "`shop` less `single`, `resumes`"
    yield "a token, kept in Redis", f"{MEASURED.redis_bytes:g} bytes", "`MEMORY USAGE` of 60 answers"
    yield "a question, at PostgreSQL and Redis", f"{MEASURED.stores_ms:g} ms of a core", "`single`, Redis"
    yield (
        "a question and its answer in the database",
        f"{MEASURED.row_bytes:,.0f} bytes",
        "rows of 60 questions, as much again for indexes",
    )


def tell_demand(each: Demand) -> Sequence[str]:
    """What comes."""
    return (
        f"{each.visitors:,}",
        f"{each.questions_per_s:,.2f} /s",
        f"{each.tokens_per_s:,.0f} /s",
        f"{each.in_flight:,.1f}",
        f"{each.most_in_flight:,}",
    )


def tell_supply(each: Demand) -> Sequence[str]:
    """What it takes."""
    memory_gb = each.most_in_flight * MEASURED.running_kb / 1e6
    redis = each.tokens_per_s * MEASURED.redis_us / 1e6
    kept_gb = each.tokens_per_s * KEPT_S * MEASURED.redis_bytes / 1e9
    postgres = each.questions_per_s * MEASURED.stores_ms / 1e3
    a_year_tb = each.questions_per_s / ASSUMED.peak * DAY_S * 365 * MEASURED.row_bytes / 1e12
    return (
        f"{each.visitors:,}",
        f"{max(1, math.ceil(cores_for(each)))}",
        f"{memory_gb:,.3f} GB",
        f"{redis:.1%} of a core, {kept_gb:,.2f} GB",
        f"{postgres:.1%} of a core, {a_year_tb:,.3f} TB a year",
    )


def tell_money(each: Demand) -> Sequence[str]:
    """What it costs a day, beside the model."""
    questions = each.questions_per_s / ASSUMED.peak * DAY_S
    streamed_gb = questions * each.tokens * MEASURED.wire_bytes / 1e9
    files_gb = each.visitors * (ASSUMED.page_gzip_bytes + ASSUMED.asking * ASSUMED.chat_gzip_bytes) / 1e9
    cores = max(2, math.ceil(cores_for(each))) + 2
    return (
        f"{each.visitors:,}",
        f"{streamed_gb:,.2f} GB",
        f"{files_gb:,.2f} GB",
        f"${cores * 24 * ASSUMED.core_hour_usd:,.2f}",
        f"${(streamed_gb + files_gb) * ASSUMED.egress_gb_usd:,.2f}",
        f"${questions * each.tokens * ASSUMED.model_million_usd / 1e6:,.2f}",
    )


def tell_limits(demand: Demand) -> Iterator[Sequence[str]]:
    """How many visitors a day one of each carries, the first to be full first."""
    shares = {
        "one process of ours, one core": cores_for(demand),
        "one Redis, one core": demand.tokens_per_s * MEASURED.redis_us / 1e6 / USED,
        "one Redis, 16 GB": demand.tokens_per_s * KEPT_S * MEASURED.redis_bytes / 16e9,
        "one PostgreSQL, four cores": demand.questions_per_s * MEASURED.stores_ms / 1e3 / 4 / USED,
        "one line of 1 Gbit/s": demand.tokens_per_s * MEASURED.wire_bytes * 8 / 1e9 / USED,
    }
    for name, share in sorted(shares.items(), key=lambda item: -item[1]):
        yield name, f"{round(demand.visitors / share, -5):,.0f}"


def tell_herds() -> Iterator[Sequence[str]]:
    """What comes of a death, a stop and a lost region."""
    for what, readers, processes, span_s in (
        ("a process dies", 500, 2, 1.0),
        ("a process dies", 3_000, 9, 1.0),
        ("a process stops", 3_000, 9, 2.5),
        ("a region of three is lost", 30_000, 40, 20.0),
    ):
        herd = simulate_herd(readers, processes, span_s)
        measured = (f"{herd.busiest:.1%}", f"{herd.p99_s:.2f} s", f"{herd.last_s:.1f} s")
        yield what, f"{herd.readers:,}", f"{herd.processes}", *measured


def make_tables() -> dict[str, str]:
    """Each by its name in the page."""
    demands = [simulate_peak(visitors) for visitors in SCALES]
    comes = ("visitors a day", "questions at the peak", "tokens at the peak", "answers under way, mean", "most at once")
    takes = ("visitors a day", "processes", "their memory for answers", "Redis", "PostgreSQL")
    costs = ("visitors a day", "streamed", "widget files", "processors", "traffic", "the model")
    herds = (
        "what happens", "readers", "processes left", "most in 100 ms", "a reader waits, p99", "the last one after",
    )  # fmt: skip
    return {
        "costs": table(("what", "costs", "measured by"), *tell_costs()),
        "demand": table(comes, *map(tell_demand, demands)),
        "supply": table(takes, *map(tell_supply, demands)),
        "money": table(costs, *map(tell_money, demands)),
        "limits": table(("what", "is full at so many visitors a day"), *tell_limits(demands[-1])),
        "herds": table(herds, *tell_herds()),
    }


def fill(page: str, tables: dict[str, str]) -> str:
    """The page with these tables between its markers. Raises KeyError for a marker that has none."""
    marked = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
    return marked.sub(lambda found: f"{found[1]}{tables[found[2]]}\n{found[3]}", page)


def main() -> None:
    """Print, and write if asked to."""
    parser = argparse.ArgumentParser(description="What so many visitors need.")
    parser.add_argument("--write", action="store_true", help="into docs/scale.md")
    tables = make_tables()
    for name, table in tables.items():
        print(f"\n{name}\n{table}")
    if parser.parse_args().write:
        PAGE.write_text(fill(PAGE.read_text("utf-8"), tables), "utf-8")


if __name__ == "__main__":
    main()
