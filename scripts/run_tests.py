"""Runs every test: what `make test` does.

First those of JavaScript, alone. Then two lanes beside each other, since most tests wait more than they work, and the
smallest machine has two cores. Each takes the next part of the tests when it is through with one: of those of Python,
of the scenarios with a browser, and those in three engines. Each part is a process of its own: Playwright's event loop
and gevent's patches do not go together. A lane goes on after a part that fails; what the second one said is shown when
both are through.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).parent.parent
LOG = ROOT / "artefacts" / "second_lane.log"
PYTEST = [sys.executable, "-m", "pytest", "--durations=15"]
# Watching which lines run slows every server down: the tests of Python reach them all by themselves.
WATCHED = [*PYTEST, "--cov", "--cov-report="]

Command = Sequence[str]
_PARTS = 4  # of the tests of Python, and of the scenarios


class Lane:
    """Takes commands, one after the other; `failed` holds those that failed. What they say goes to `log`, if any."""

    def __init__(self, name: str, commands: deque[Command], log: Path | None = None) -> None:
        self.failed: list[Command] = []
        self._name, self._commands, self._log = name, commands, log
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """All that nobody else takes."""
        out = self._log.open("wb") if self._log else None
        for number in count():
            try:
                command = self._commands.popleft()
            except IndexError:
                break
            environ = {**os.environ, "COVERAGE_FILE": f".coverage.{self._name}{number}"}
            # A group of its own, so that what a test has started can be ended with it.
            self._process = subprocess.Popen(command, env=environ, stdout=out, stderr=out, start_new_session=True)
            if self._process.wait() != 0:
                self.failed.append(command)
        if out:
            out.close()

    def stop(self) -> None:
        """End it where it is, and all lanes with what they are at."""
        self._commands.clear()
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)


def find_scripts() -> list[str]:
    """The tests of JavaScript."""
    return sorted(map(str, Path("tests/widget").rglob("*.test.js")))


def find_files(folder: str, *but: str) -> list[str]:
    """The files of Python tests in a folder, without those in its folders `but`."""
    found = sorted(Path(folder).rglob("test_*.py"))
    return [str(path) for path in found if not any(path.is_relative_to(Path(folder, name)) for name in but)]


def main() -> int:
    """Run all; returns the exit status."""
    os.chdir(ROOT)
    for left in ROOT.glob(".coverage*"):
        left.unlink()
    LOG.parent.mkdir(exist_ok=True)
    node = [sys.executable, "widget/toolchain.py", "node", "--test", "--test-reporter=dot", *find_scripts()]
    plain, scenarios = find_files("tests", "e2e", "engines"), find_files("tests/e2e")
    parts = deque[Command]([*WATCHED, *plain[part::_PARTS]] for part in range(_PARTS))
    parts.append([*PYTEST, "tests/engines"])  # the longest that is left, and so not at the end
    parts += ([*PYTEST, *scenarios[part::_PARTS]] for part in range(_PARTS))
    alone = Lane("javascript", deque([node]))
    first, second = Lane("first", parts), Lane("second", parts, LOG)
    lanes = (alone, first, second)
    threads = [Thread(target=lane.run) for lane in (first, second)]
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
    failed = [command for lane in lanes for command in lane.failed]
    for command in failed:
        print(f"failed: {' '.join(command)[:200]}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
