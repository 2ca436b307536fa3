"""What only the memory form of the stream log promises."""

from __future__ import annotations

import gc
import time

import gevent
import pytest
from stream_log_forms import done, tell, tokens
from switches import no_switches

from chatbubble.events import Custom, Token
from chatbubble.stream_logs.memory import MemoryStreamLog


def test_appending_never_switches() -> None:
    log = MemoryStreamLog()
    log.open("s", "anna")
    readers = [log.reader("s") for _ in range(50)]
    waiting = [gevent.spawn(reader.next, 60) for reader in readers]
    gevent.sleep(0)
    with no_switches():
        for token in tokens(*["word "] * 5000):
            log.append("s", token)
        log.append("s", done())
    assert all(greenlet.get(timeout=1) is not None for greenlet in waiting)


def test_closing_a_reader_never_switches() -> None:
    log = MemoryStreamLog()
    log.open("s", "anna")
    reader = log.reader("s")
    waiting = gevent.spawn(reader.next, 60)
    gevent.sleep(0)
    with no_switches():
        reader.close()
    assert waiting.get(timeout=1) is None


def test_discarding_never_switches() -> None:
    log = MemoryStreamLog()
    tell(log, "s", *tokens("a"))
    log.reader("s")
    with no_switches():
        log.discard("s")


def test_events_are_nothing_for_the_garbage_collector() -> None:
    log = MemoryStreamLog()
    tell(log, "s", *tokens("a"))
    gc.collect()
    before = len(gc.get_objects())
    for token in tokens(*["word "] * 1000):
        log.append("s", token)
    gc.collect()
    assert len(gc.get_objects()) - before < 100


def test_an_idle_process_forgets_ended_streams() -> None:
    log = MemoryStreamLog(ttl_s=0.02)
    tell(log, "s", done())
    assert log.owner("s") is not None
    gevent.sleep(0.2)
    # Looked at directly: asking for the numbers would sweep.
    assert not log._streams


@pytest.mark.parametrize(
    "event",
    [Token("\u4e2d\U0001f600" * 75, 0, 1), Token("word ", 0, 1), Custom("card", {"size": "M"})],
    ids=["characters of six and twelve bytes", "words", "events that cannot be merged"],
)
@pytest.mark.usefixtures("no_collections")
@pytest.mark.no_cover
def test_no_append_holds_up_the_others(event: Token | Custom) -> None:
    """The longest answer there is has 1,500,000 units; merging it by its JSON took 100 ms."""
    log = MemoryStreamLog()
    log.open("s", "anna")
    slowest = 0.0
    for _ in range(6000):
        began = time.thread_time()  # of the processor: the machine has other things to do, too
        log.append("s", event)
        slowest = max(slowest, time.thread_time() - began)
    print(f"slowest append: {slowest * 1000:.1f} ms")  # noqa: T201 -- the figure belongs in the report
    assert slowest < 0.05
