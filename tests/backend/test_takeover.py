"""A server process dies or hangs in the middle of an answer: another one sees to it that nobody waits for ever."""

from __future__ import annotations

import signal
import time
from contextlib import suppress

import gevent
from deployment import Deployment, deployment, same_visitor  # noqa: F401 -- a fixture
from process import ServerProcess
from stream_client import Received, Visitor, joined_text

NOTICED_S = 8.0


def read_on(visitor: Visitor, stream_id: str, last_event_id: str) -> list[Received]:
    """What comes after a place, as the widget reads it: cut off or refused, it comes again."""
    events: list[Received] = []
    deadline = time.monotonic() + 20
    while not (events and events[-1].type in ("done", "error")):
        assert time.monotonic() < deadline, events
        reply = visitor.resume(stream_id, last_event_id)
        if reply.status != 200:
            gevent.sleep(0.1)
            continue
        with suppress(ConnectionError, TimeoutError):
            reply.until_end()
        events += reply.seen
        last_event_id = reply.last_event_id or last_event_id
    return events


def test_the_answer_of_a_killed_process_ends(deployment: Deployment) -> None:  # noqa: F811
    (dying,) = deployment.start()
    living: ServerProcess = deployment.processes[0]
    visitor = dying.visitor()
    reply = visitor.ask("answer: 2000 tokens at 20 ms")
    reply.until("token")
    stream_id = reply.seen[0].data["streamId"]
    gevent.sleep(1.5)
    dying.kill()
    died_at = time.monotonic()
    with suppress(ConnectionError):
        reply.until_end()
    there = same_visitor(visitor, living)
    events = [*reply.seen, *read_on(there, stream_id, reply.last_event_id)]
    print(f"noticed after {time.monotonic() - died_at:.1f} s")  # noqa: T201
    assert time.monotonic() - died_at < NOTICED_S
    assert events[-1].type == "error"
    assert events[-1].data["code"] == "INTERRUPTED"
    assert joined_text(events) == there.conversation()["messages"][-1]["content"]
    assert there.ask("and now?").status == 200


def test_a_process_that_hangs_writes_nothing_more_once_it_wakes(deployment: Deployment) -> None:  # noqa: F811
    (hanging,) = deployment.start()
    living: ServerProcess = deployment.processes[0]
    visitor = hanging.visitor()
    reply = visitor.ask("answer: 2000 tokens at 20 ms")
    reply.until("token")
    stream_id = reply.seen[0].data["streamId"]
    there = same_visitor(visitor, living)
    following = there.resume(stream_id)
    following.until("token")
    hanging.signal(signal.SIGSTOP)
    events = following.until_end()
    assert events[-1].data["code"] == "INTERRUPTED"
    said = there.conversation()["messages"]
    hanging.signal(signal.SIGCONT)
    with suppress(ConnectionError):
        reply.until_end()
    assert [event.type for event in reply.seen if event.type in ("done", "error")] in ([], ["error"])
    assert there.conversation()["messages"] == said
    again = read_on(there, stream_id, "")
    assert joined_text(again) == said[-1]["content"]
