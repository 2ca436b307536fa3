"""Runs every measurement in this folder, one after the other, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BACKEND = HERE.parents[1] / "backend"


def main() -> int:
    """Run them all; returns how many failed."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(BACKEND), os.environ.get("PYTHONPATH")]))}
    failed = 0
    for script in sorted(HERE.glob("*.py")):
        if script.name == Path(__file__).name:
            continue
        print(f"\n{script.stem}", flush=True)
        failed += bool(subprocess.run([sys.executable, str(script)], env=environ, check=False).returncode)
    return failed


if __name__ == "__main__":
    sys.exit(main())
