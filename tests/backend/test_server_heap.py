"""The server's memory once it listens: nothing for the garbage collector to look through."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
from gevent import monkey; monkey.patch_all()
import gc, os, signal, time
import gevent
from flask import Flask
from chatbubble.extension import Chatbubble
from chatbubble.server import serve

app = Flask("tested")
Chatbubble(app)

def look():
    while not gc.get_freeze_count():
        gevent.sleep(0.01)
    began = time.process_time()
    gc.collect()
    took_s = time.process_time() - began
    whole = gc.get_stats()[2]["collections"]
    kept = [[number] for number in range(400_000)]  # what ten thousand connections are made of
    print(gc.get_freeze_count(), took_s, gc.get_stats()[2]["collections"] - whole, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)

gevent.spawn(look)
serve(app, host="127.0.0.1", port=0)
"""


def test_a_garbage_collection_holds_nobody_up(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, cwd=tmp_path, check=True
    )
    frozen, took_s, collections = ran.stdout.split()
    assert int(frozen) > 30_000
    assert float(took_s) < 0.02
    # Through all connections it does not look while they come.
    assert int(collections) == 0
