"""The door of the fuzzing, what `make fuzz` does: each part in its long form, and at the end what came of it.

    python tests/fuzz/fuzz_suite.py                                all, for hours
    python tests/fuzz/fuzz_suite.py --only requests --size 20000 --seed 7

A part's size counts what it does, or its seconds; `--help` tells those of the long form.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402 -- patching comes first
import os  # noqa: E402
import re  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from pathlib import Path  # noqa: E402

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent / "backend"), str(HERE.parent / "fixtures")]

import request_campaign  # noqa: E402
import schema_campaign  # noqa: E402
import slow_campaign  # noqa: E402
from callers import Cast  # noqa: E402
from fuzzed_server import fuzzed_server  # noqa: E402
from guessing import count_found  # noqa: E402
from hosting import OPERATOR_TOKEN, hosting  # noqa: E402
from parser_targets import PARSERS  # noqa: E402


@dataclass(frozen=True)
class Outcome:
    """Whether a part found nothing, and what it says."""

    is_clean: bool
    said: str


@dataclass(frozen=True)
class Part:
    """One way to fuzz. `whole` is the size of its long form."""

    title: str
    whole: int
    unit: str
    run: Callable[[Path, int, int], Outcome]


def fuzz_schema(folder: Path, seed: int, size: int) -> Outcome:
    """Schemathesis over every route."""
    with fuzzed_server(folder) as server:
        ran = schema_campaign.run_schema(server, folder, seed, size)
        complaints = server.complaints
    said = ran.said if not ran.is_clean else f"{ran.operations} operations, {ran.cases:,} cases, nothing found"
    return Outcome(ran.is_clean and not complaints, "\n".join([said, *complaints]))


def fuzz_requests(folder: Path, seed: int, size: int) -> Outcome:
    """Requests with faults in their bytes."""
    with fuzzed_server(folder) as server:
        tally = request_campaign.run_requests(server, seed, size)
    return Outcome(not tally.fault_count, request_campaign.tell(tally))


def fuzz_slowness(folder: Path, _seed: int, size: int) -> Outcome:
    """Requests that drip, by the thousand."""
    with fuzzed_server(folder, max_streams=str(2 * size)) as server:
        result = slow_campaign.run_slow(server, size)
    return Outcome(not result.faults, slow_campaign.tell(result))


def fuzz_parsers(_folder: Path, seed: int, size: int) -> Outcome:
    """Every parser of the backend, `size` seconds each."""
    said, is_clean = [], True
    for name in PARSERS:
        command = [sys.executable, str(HERE / "fuzz_parser.py"), name, "--seconds", str(size), "--seed", str(seed)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        told = done.stdout + done.stderr
        is_clean &= done.returncode == 0
        runs = re.search(r"Done (\d+) runs.*|atheris is not installed.*", told)
        said.append(f"{name}: {runs[0] if runs and done.returncode == 0 else told[-3000:]}")
    return Outcome(is_clean, "\n".join(said))


def fuzz_widget(_folder: Path, seed: int, size: int) -> Outcome:
    """The widget's parsers, each on so many texts that are cut at random."""
    script = str(ROOT / "tests" / "widget" / "fuzz_parsers.test.js")
    command = [sys.executable, str(ROOT / "widget" / "toolchain.py"), "node", "--test", script]
    environ = {**os.environ, "FUZZ_SPLITS": str(size), "FUZZ_SEED": str(seed)}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    return Outcome(done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:])


def fuzz_guesses(folder: Path, seed: int, size: int) -> Outcome:
    """Ids and secrets as somebody guesses who has seen some."""
    with hosting(folder / "chat.db", operator_token=OPERATOR_TOKEN) as site:
        answered, found = count_found(Cast(site), size, seed)
    return Outcome(not found, "\n".join([f"{answered:,} guesses, {len(found)} found something", *map(str, found[:20])]))


PARTS = {
    "schema": Part("schemathesis over every route", 2000, "cases an operation", fuzz_schema),
    "requests": Part("mutated requests", 1_000_000, "requests", fuzz_requests),
    "guesses": Part("guessed ids and secrets", 50_000, "guesses", fuzz_guesses),
    "slow": Part("requests that drip", 10_000, "connections", fuzz_slowness),
    "parsers": Part("the parsers of the backend", 300, "seconds each", fuzz_parsers),
    "widget": Part("the parsers of the widget", 1_000_000, "splits each", fuzz_widget),
}


def main() -> int:
    """Run what is asked for; 0 when nothing was found."""
    sizes = "; ".join(f"{name}: {part.whole:,} {part.unit}" for name, part in PARTS.items())
    parser = argparse.ArgumentParser(description="The fuzzing.", epilog=f"The long form: {sizes}.")
    parser.add_argument("--only", nargs="+", choices=sorted(PARTS), metavar="PART", default=list(PARTS))
    parser.add_argument("--size", "--seconds", type=int, help="how much of it, instead of the long form")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    outcomes = [_run(PARTS[name], chosen.seed, chosen.size) for name in chosen.only]
    return 0 if all(outcomes) else 1


def _run(part: Part, seed: int, size: int | None) -> bool:
    count = size or part.whole
    _say(f"{part.title}, {count:,} {part.unit}, seed {seed} ...")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chatbubble-fuzz-") as folder:
        outcome = part.run(Path(folder), seed, count)
    for line in outcome.said.splitlines():
        _say(f"  {line}")
    _say(f"  {'clean' if outcome.is_clean else 'FAULTS'}, {time.monotonic() - began:.0f} s")
    return outcome.is_clean


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
