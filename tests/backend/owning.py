"""Another process that has opened the store, for what only a second one can show."""

from __future__ import annotations

import subprocess
import sys

OWNER = """
from gevent import monkey
monkey.patch_all()
import os, sys
from chatbubble.stores.sql import SqlStore
store = SqlStore(sys.argv[1])
store.open()
if sys.argv[2] == "forks" and os.fork() == 0:
    sys.stdin.read()
    os._exit(0)
print(os.getpid(), flush=True)
sys.stdin.readline()
store.close()
print("closed", flush=True)
sys.stdin.readline()
"""


class Owner:
    """Another process that has opened the store on a file."""

    def __init__(self, url: str, habit: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OWNER, url, habit], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = int(self._heard())

    def close_store(self) -> None:
        """Have it close the store and live on."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self._heard() == "closed"

    def end(self) -> None:
        """Kill it; its child ends by itself, as nobody writes to it any more."""
        self.process.kill()
        self.process.communicate(timeout=10)

    def _heard(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()
