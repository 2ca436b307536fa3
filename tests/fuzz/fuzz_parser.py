"""Fuzzes one parser: guided by coverage where atheris is installed (`pip install 'chatbubble[fuzz]'`), else blindly.

    python tests/fuzz/fuzz_parser.py question --seconds 60 --seed 1

Ends with 1 at the first input that the parser does not bear. Atheris leaves that input in `artefacts/fuzz`.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOUND = HERE.parents[1] / "artefacts" / "fuzz"
_LONGEST = 20_000
_AT_A_TIME = 1000
_HANGS_S = 5


def main() -> None:
    """Fuzz what is asked for."""
    parser = argparse.ArgumentParser(description="Fuzzes one parser.")
    parser.add_argument("name")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    if importlib.util.find_spec("atheris"):
        _guided(chosen.name, chosen.seconds, chosen.seed)
    else:
        _blind(chosen.name, chosen.seconds, chosen.seed)


def _guided(name: str, seconds: int, seed: int) -> None:
    import atheris

    with atheris.instrument_imports(include=["chatbubble"]):
        from mutations import PIECES
        from parser_targets import PARSERS
    FOUND.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        corpus, words = Path(folder, "corpus"), Path(folder, "words")
        corpus.mkdir()
        words.write_text("".join(f'"{_escaped(piece[:60])}"\n' for piece in PIECES), "ascii")
        for number, data in enumerate(PARSERS[name].seeds):
            (corpus / str(number)).write_bytes(data)
        flags = [
            f"-max_total_time={seconds}",
            f"-seed={seed}",
            f"-max_len={_LONGEST}",
            f"-timeout={_HANGS_S}",
            f"-artifact_prefix={FOUND}/{name}-",
            f"-dict={words}",
        ]
        atheris.Setup([sys.argv[0], *flags, str(corpus)], PARSERS[name].target)
        atheris.Fuzz()


def _escaped(piece: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in piece)


def _blind(name: str, seconds: int, seed: int) -> None:
    from parser_targets import PARSERS, feed

    fed, ends = 0, time.monotonic() + seconds
    while time.monotonic() < ends:
        feed(PARSERS[name], seed + fed, _AT_A_TIME)
        fed += _AT_A_TIME
    sys.stdout.write(f"atheris is not installed, so blindly: {fed} inputs\n")


if __name__ == "__main__":
    sys.path[:0] = [str(HERE.parents[1] / "backend"), str(HERE.parent / "fixtures")]
    main()
