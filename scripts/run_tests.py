"""Runs every test: what `make test` does.

First those of JavaScript and of Python, alone: some of them look at how long something takes. Then those with
browsers, half of the scenarios in one lane, the others and the three engines in another one beside it, since a browser
test mostly waits and the smallest machine has two cores. They have processes of their own in any case: Playwright's
event loop and gevent's patches do not go together. Each lane goes to its end or its first failing command; what the one
in the background said is shown when both are there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).parent.parent
LOG = ROOT / "artefacts" / "second_lane.log"
PYTEST = [sys.executable, "-m", "pytest", "--cov", "--cov-report=", "--durations=15"]

Command = Sequence[str]


class Lane:
    """Commands one after the other, until one fails. `failed` is None as long as none did."""

    def __init__(self, name: str, commands: Sequence[Command], log: Path | None = None) -> None:
        self.failed: Command | None = None
        self._name, self._commands, self._log = name, commands, log
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    def run(self) -> None:
        """All of it; where there is a log, what it says goes there."""
        out = self._log.open("wb") if self._log else None
        for number, command in enumerate(self._commands):
            if self._is_stopped or self.failed:
                break
            environ = {**os.environ, "COVERAGE_FILE": f".coverage.{self._name}{number}"}
            # A group of its own, so that what a test has started can be ended with it.
            self._process = subprocess.Popen(command, env=environ, stdout=out, stderr=out, start_new_session=True)
            if self._process.wait() != 0:
                self.failed = command
        if out:
            out.close()

    def stop(self) -> None:
        """End it where it is."""
        self._is_stopped = True
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)


def main() -> int:
    """Run all; returns the exit status."""
    os.chdir(ROOT)
    for left in ROOT.glob(".coverage*"):
        left.unlink()
    LOG.parent.mkdir(exist_ok=True)
    scripts = sorted(map(str, Path("tests/widget").rglob("*.test.js")))
    node = [sys.executable, "widget/toolchain.py", "node", "--test", "--test-reporter=dot", *scripts]
    rest = [*PYTEST, "--ignore=tests/e2e", "--ignore=tests/engines"]
    alone = Lane("alone", [node, rest])
    scenarios = sorted(map(str, Path("tests/e2e").glob("test_*.py")))
    half = Lane("scenarios", [[*PYTEST, *scenarios[::2]]])
    others = Lane("engines", [[*PYTEST, *scenarios[1::2]], [*PYTEST, "tests/engines"]], LOG)
    lanes = (alone, half, others)
    threads = [Thread(target=lane.run) for lane in (half, others)]
    try:
        alone.run()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        for lane in lanes:
            lane.stop()
        return 130
    print(LOG.read_text("utf-8", "replace"), flush=True)
    failed = [lane.failed for lane in lanes if lane.failed]
    for command in failed:
        print(f"failed: {' '.join(command)[:200]}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
