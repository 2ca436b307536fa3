"""What a streamed answer costs on its whole way, ours beside other people's; the tables go into docs/performance.md.

    python tests/bench/streams/measure_streams.py [--rounds 5] [--only NAME ...] [--loads NAME ...] [--print]

A stand-in model and the load share the last core, the servers have the others. Every run has a server of its own, and
the servers take turns. What cannot be started here is told with its reason.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [
    str(ROOT / folder) for folder in ("widget", "tests/fixtures", "tests/backend", "tests/bench/page", "backend")
]

from contenders import CONTENDERS, NotRunnable  # noqa: E402 -- our own folders come first
from figures import written_into  # noqa: E402
from kept import Kept, machine_and_versions  # noqa: E402
from loads import LOADS, Load  # noqa: E402
from measuring import Bench  # noqa: E402
from results import Figures  # noqa: E402
from stream_goals import goals, reached  # noqa: E402
from stream_tables import BEGIN, END, body, plots  # noqa: E402

DOCS = ROOT / "docs"


def line(load: str, name: str, told: Figures) -> str:
    """One run on one line."""
    cells = [
        f"{load:10} {name:17}",
        f"{told['exact']:,}/{told['streams']:,} exact",
        f"{told['delivered'] / told['expected']:4.0%} of the tokens" if told.get("expected") else "",
    ]
    for word, text in _TOLD.items():
        if word in told:
            cells.append(text.format(told[word]))
    if told["faults"]:
        cells.append(", ".join(f"{count} x {what}" for what, count in told["faults"].items()))
    return "  ".join(filter(None, cells))


_TOLD = {
    "cpu_us": "{:.1f} us",
    "stores_us": "(+{:.1f} stores)",
    "delay_p50_ms": "delay {:.1f}",
    "delay_p99_ms": "p99 {:.1f}",
    "first_p50_ms": "first {:.1f}",
    "first_p99_ms": "p99 {:.1f}",
    "first_added_p50_ms": "added {:.1f}",
    "first_added_p99_ms": "p99 {:.1f} ms",
    "bytes_per_token": "{:.0f} B",
    "kb_per_stream": "{:.0f} KB/stream",
    "pace": "{:,}/s",
    "model_share": "model {:.0%}",
    "load_share": "load {:.0%}",
}


def take_turns(bench: Bench, kept: Kept, given: argparse.Namespace) -> None:
    """All rounds; after each of them, what is known so far is written."""
    where = machine_and_versions(given.rounds)
    rounds: dict[tuple[str, str], list[Figures]] = {}
    turns = [(load, name) for load in map(LOADS.__getitem__, given.loads) for name in load.contenders]
    for _ in range(given.rounds):
        for load, name in turns:
            if name in given.only:
                known = rounds.setdefault((load.name, name), [])
                reason = take_turn(bench, load, name, known)
                kept.put(load.name, name, known, where, reason)
        if not given.print:
            write(kept)


def take_turn(bench: Bench, load: Load, name: str, known: list[Figures]) -> str:
    """One run, which joins those that are known; returns why there was none."""
    try:
        told = bench.run(CONTENDERS[name], load)
    except NotRunnable as reason:
        print(f"{load.name:10} {name:17}  not run: {reason}", flush=True)
        return str(reason)
    print(line(load.name, name, told), flush=True)
    known.append(told)
    return ""


def main() -> int:
    """Measure, print, write; returns how many goals were missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS), metavar="NAME")
    parser.add_argument("--loads", nargs="+", choices=LOADS, default=list(LOADS), metavar="NAME")
    parser.add_argument("--print", action="store_true", help="leave the documents as they are")
    given = parser.parse_args()
    kept = Kept(DOCS / "streams.json")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        try:
            take_turns(bench, kept, given)
        finally:
            bench.close()
    print("\n" + body(kept))
    return reached(goals(kept))


def write(kept: Kept, docs: Path = DOCS) -> None:
    """Figures, section and pictures."""
    kept.save()
    document = docs / "performance.md"
    document.write_text(written_into(document.read_text("utf-8"), body(kept), (BEGIN, END)), "utf-8")
    for name, picture in plots(kept).items():
        (docs / name).write_text(picture, "utf-8")


if __name__ == "__main__":
    main()
