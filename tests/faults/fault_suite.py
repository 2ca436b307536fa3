"""The door of the fault suite: runs campaigns and writes what came of them into docs/faults.md.

    python tests/faults/fault_suite.py                       all, whole: what `make faults` does
    python tests/faults/fault_suite.py --only kill9 cuts     these, and the report keeps the rows of the others
    python tests/faults/fault_suite.py --only kill9 --size 50 --seed 3 --dry

A campaign's size counts what it does, or its seconds; `--help` tells those of the whole form.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import argparse  # noqa: E402 -- patching comes first
import signal  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "backend"), str(HERE.parent / "fixtures")]

from campaign import Campaign  # noqa: E402
from campaigns import CAMPAIGNS  # noqa: E402
from ground import Ground  # noqa: E402
from report import keep, row_of  # noqa: E402


def main() -> int:
    """Run what is asked for; 0 when nothing was wrong."""
    by_name = {campaign.name: campaign for campaign in CAMPAIGNS}
    chosen = _read_arguments(by_name)
    is_clean = True
    with tempfile.TemporaryDirectory(prefix="chatbubble-faults-") as folder:
        ground = Ground(Path(folder))
        try:
            for name in chosen.only:
                campaign = by_name[name]
                is_clean &= _run(ground, campaign, chosen.seed, chosen.size or campaign.whole, is_dry=chosen.dry)
        finally:
            ground.close()
    return 0 if is_clean else 1


def _read_arguments(by_name: dict[str, Campaign]) -> argparse.Namespace:
    sizes = "; ".join(f"{each.name}: {each.whole:,} {each.unit}" for each in by_name.values())
    parser = argparse.ArgumentParser(description="The fault suite.", epilog=f"The whole form: {sizes}.")
    parser.add_argument("--only", nargs="+", choices=sorted(by_name), metavar="NAME")
    parser.add_argument("--size", "--seconds", type=int, help="how much of it, instead of the whole form")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dry", action="store_true", help="leave the report as it is")
    chosen = parser.parse_args()
    chosen.only = chosen.only or [campaign.name for campaign in by_name.values() if campaign.is_routine]
    return chosen


def _run(ground: Ground, campaign: Campaign, seed: int, size: int, *, is_dry: bool) -> bool:
    _say(f"{campaign.name}: {campaign.title}, {size:,} {campaign.unit}, seed {seed} ...")
    began = time.monotonic()
    outcome = campaign.run(ground, seed, size)
    row = row_of(campaign, seed, size, outcome, time.monotonic() - began)
    _say(f"  {row.took_s:.0f} s; " + ", ".join(f"{count:,} {name}" for name, count in row.counts.items()))
    if row.recovery_s:
        p50, p99, longest = (row.recovery_s[place] for place in (50, 99, 100))
        _say(f"  {row.recoveries:,} recoveries: p50 {p50:.3f} s, p99 {p99:.3f} s, max {longest:.3f} s")
    for name, told in row.figures.items():
        _say(f"  {name}: {told}")
    _say(f"  violations: {row.found}")
    for found in (*row.violations, *row.shortfalls):
        _say(f"    {found}")
    if not is_dry:
        keep(row)
    return outcome.is_clean


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
