"""Starts `chatbubble serve` many times: a process that has imported everything, and forks.

A server that is started by itself spends a second of processor time on imports; a thousand of them would measure little
else. Forked, it serves a tenth of a second later, and is `chatbubble serve` in everything that follows. Each line on
standard input asks for one, as JSON: {"environ": {...}, "folder": "...", "log": "..."}; each answer is its process id.
"""

from __future__ import annotations

import os

fork = os.fork  # gevent's own would bring along a loop that is not begun yet

from gevent import monkey  # noqa: E402 -- patching comes before all other imports

monkey.patch_all()

import ctypes  # noqa: E402
import gc  # noqa: E402
import json  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from contextlib import suppress  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, NoReturn  # noqa: E402

import alembic.command  # noqa: E402, F401 -- what a server imports only once it needs it
import psycopg  # noqa: E402, F401
import sqlalchemy.dialects.postgresql.psycopg  # noqa: E402, F401
from inside import answer_signals  # noqa: E402

import chatbubble.cli  # noqa: E402
import chatbubble.fleets.redis_parts  # noqa: E402
import chatbubble.providers.openai  # noqa: E402
import chatbubble.server  # noqa: E402

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Fork a server for each line, until there are no more."""
    signal.signal(signal.SIGCHLD, _bury)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        wanted = json.loads(line)
        child = fork()
        if child == 0:
            _serve(wanted)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def _serve(wanted: dict[str, Any]) -> NoReturn:
    # Whoever started us may be killed, and must not leave servers behind.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in (signal.SIGCHLD, signal.SIGHUP):  # whoever started us may ignore the latter
        signal.signal(number, signal.SIG_DFL)
    os.environ.update(wanted["environ"])
    os.chdir(wanted["folder"])
    log = os.open(wanted["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDWR)
    for here, there in ((nothing, 0), (nothing, 1), (log, 2)):
        os.dup2(here, there)
    answer_signals(Path(wanted["log"]).with_suffix(".inside"))
    code = 1
    try:
        chatbubble.cli.main(["serve", "--port", "0"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        os._exit(code)


def _bury(_number: int, _frame: object) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    main()
