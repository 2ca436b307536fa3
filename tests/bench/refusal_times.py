"""How long a refusal takes, by who is refused: does the time tell what the words do not?

    python tests/bench/refusal_times.py --rounds 1000

For every route of the table in tests/backend/test_authorisation.py, all callers who have to get the same answer ask in
turn, in an order drawn anew each round, over one connection. What the fastest tenth of their requests takes should not
be further apart than a tenth; where it is, three times one after the other, the script ends with another exit code than
0. "again" is one of the callers a second time, so its distance is what the measurement itself is worth. Client and
server share a process, so the times are only good for being compared. The streams of strangers are asked for as they
are in memory, and once more when only the database knows them.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402 -- patching comes first
import random  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from statistics import quantiles  # noqa: E402

sys.path[:0] = [str(Path(__file__).parents[1] / folder) for folder in ("fixtures", "backend")]

from callers import NOWHERE, Cast  # noqa: E402
from hosting import OPERATOR_TOKEN, hosting  # noqa: E402
from raw_http import Wire  # noqa: E402
from test_authorisation import ROWS, those_without  # noqa: E402

APART = 0.1  # of the faster one
WARM_UP = 20
AGAIN = "again"
TIMES = 3  # that a difference has to be seen
# What these answer is no refusal, and has work of its own.
ENDLESS = {("POST", "/chat"), ("GET", "/stream")}


def groups(cast: Cast, where: str) -> dict[str, dict[str, bytes]]:
    """For each route, the requests that have to be answered alike, by who sends them."""
    alike: dict[str, dict[str, bytes]] = {}
    for (method, rule), row in ROWS.items():
        for caller in those_without(row):
            expected = row.of(caller)
            if ((method, rule) in ENDLESS and expected[0] == 200) or (row.is_each_ones_own and caller == "other"):
                continue
            requests = alike.setdefault(f"{method} {rule} {expected[0]} {expected[1]} {where}".strip(), {})
            requests[caller] = cast.request(caller, method, rule, cast.target)
            if "<stream_id>" in rule or rule == "/feedback":
                requests[f"{caller}, of what never was"] = cast.request(caller, method, rule, NOWHERE)
    return {name: requests for name, requests in alike.items() if len(requests) > 1}


def measure(port: int, requests: dict[str, bytes], rounds: int) -> dict[str, float]:
    """What the fastest tenth of each caller's requests takes at most, in microseconds."""
    requests = {**requests, AGAIN: next(iter(requests.values()))}
    chance, taken_us = random.Random(20260109), {caller: [] for caller in requests}
    with Wire(port) as wire:
        for number in range(rounds + WARM_UP):
            for caller in chance.sample(list(requests), len(requests)):
                began = time.perf_counter()
                wire.send(requests[caller])
                wire.read()
                if number >= WARM_UP:
                    taken_us[caller].append((time.perf_counter() - began) * 1e6)
    return {caller: quantiles(times, n=10)[0] for caller, times in taken_us.items()}


def can_tell(name: str, port: int, requests: dict[str, bytes], rounds: int) -> bool:
    """Whether the callers can be told apart each of several times: once may be what else this machine does."""
    return all(report(name, measure(port, requests, rounds)) for _ in range(TIMES))


def report(name: str, taken_us: dict[str, float]) -> bool:
    """Print one line; whether the callers can be told apart by it."""
    noise = abs(taken_us.pop(AGAIN) / next(iter(taken_us.values())) - 1)
    fastest, slowest = min(taken_us, key=taken_us.__getitem__), max(taken_us, key=taken_us.__getitem__)
    apart = taken_us[slowest] / taken_us[fastest] - 1
    told = f"{taken_us[fastest]:6.0f} us {fastest:>28}  {taken_us[slowest]:6.0f} us {slowest:>28}"
    print(f"{name:54} {told}  {apart:6.1%}  again {noise:5.1%}{'  too far' if apart > APART else ''}", flush=True)
    return apart > APART


def main() -> int:
    """Measure every route; returns how many tell their callers apart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1000)
    rounds = parser.parse_args().rounds
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "chat.db"
        with hosting(database, operator_token=OPERATOR_TOKEN) as site:
            cast = Cast(site)
            for name, requests in groups(cast, "").items():
                failed += can_tell(name, site.port, requests, rounds)
        with hosting(database, operator_token=OPERATOR_TOKEN) as site:
            cast.site = site
            for name, requests in groups(cast, "(stored)").items():
                if "<stream_id>" in name:
                    failed += can_tell(name, site.port, requests, rounds)
    return failed


if __name__ == "__main__":
    sys.exit(main())
