"""A server process dies or hangs in the middle of an answer: another one sees to it that nobody waits for ever."""

from __future__ import annotations

import secrets
import signal
import time
from contextlib import suppress

import gevent
import pytest
from deployment import Deployment, same_visitor
from process import ServerProcess
from redis_server import shared_redis
from serving import Serve
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


def test_the_answer_of_a_killed_process_is_given_whole_by_another(deployment: Deployment) -> None:
    (dying,) = deployment.start()
    living: ServerProcess = deployment.processes[0]
    asked = len(deployment.model.requests)
    visitor = dying.visitor()
    reply = visitor.ask("answer: 100 tokens at 20 ms")
    reply.until("token")
    stream_id = reply.seen[0].data["streamId"]
    there = same_visitor(visitor, living)
    following = there.resume(stream_id)
    following.until("token")
    dying.kill()
    died_at = time.monotonic()
    with suppress(ConnectionError):
        reply.until_end()
    following.until("reset")
    noticed_s = time.monotonic() - died_at
    print(f"noticed after {noticed_s:.1f} s")  # noqa: T201 -- the figure belongs in the report
    assert noticed_s < NOTICED_S
    events = following.until_end()
    assert events[-1].type == "done"
    assert joined_text(events) == events[-1].data["fullText"] == there.conversation()["messages"][-1]["content"]
    assert joined_text([*reply.seen, *read_on(there, stream_id, reply.last_event_id)]) == joined_text(events)
    assert len(deployment.model.requests) - asked == 2
    assert there.ask("and now?").status == 200


def test_a_turn_that_two_processes_die_of_ends_as_interrupted(deployment: Deployment) -> None:
    first, second = deployment.start(2)
    living: ServerProcess = deployment.processes[0]
    living.signal(signal.SIGSTOP)  # so that the second one takes over
    deployment.processes[1].signal(signal.SIGSTOP)
    visitor = first.visitor()
    reply = visitor.ask("answer: 2000 tokens at 20 ms")
    reply.until("token")
    stream_id = reply.seen[0].data["streamId"]
    following = same_visitor(visitor, second).resume(stream_id)
    following.until("token")
    first.kill()
    following.until("reset")
    following.until("token")
    gevent.sleep(1.5)  # as long as it takes to save some of the text
    for process in deployment.processes[:2]:
        process.signal(signal.SIGCONT)
    second.kill()
    with suppress(ConnectionError):
        following.until_end()
    there = same_visitor(visitor, living)
    events = [*following.seen, *read_on(there, stream_id, following.last_event_id)]
    ended_at = time.monotonic()
    assert (events[-1].type, events[-1].data["code"], events[-1].data["retryable"]) == ("error", "INTERRUPTED", True)
    kept = there.conversation()["messages"][-1]
    assert (kept["errorCode"], kept["content"]) == ("INTERRUPTED", joined_text(events))
    assert kept["content"]
    assert there.ask("and now?").status == 200
    assert time.monotonic() - ended_at < 1


def test_a_process_that_hangs_writes_nothing_more_once_it_wakes(deployment: Deployment) -> None:
    (hanging,) = deployment.start()
    living: ServerProcess = deployment.processes[0]
    visitor = hanging.visitor()
    reply = visitor.ask("answer: 150 tokens at 20 ms")
    reply.until("token")
    stream_id = reply.seen[0].data["streamId"]
    there = same_visitor(visitor, living)
    following = there.resume(stream_id)
    following.until("token")
    hanging.signal(signal.SIGSTOP)
    following.until("reset")
    hanging.signal(signal.SIGCONT)
    with suppress(ConnectionError):
        reply.until_end()
    following.until_end()
    text = following.seen[-1].data["fullText"]
    assert joined_text(following.seen) == text
    assert joined_text([*reply.seen, *read_on(there, stream_id, reply.last_event_id)]) == text
    own = same_visitor(visitor, hanging)
    assert joined_text(read_on(own, stream_id, "")) == text
    assert [message["content"] for message in own.conversation()["messages"]][1:] == [text]


def test_a_turn_that_nobody_runs_is_ended(serve: Serve, monkeypatch: pytest.MonkeyPatch, postgres_url: str) -> None:
    prefix = f"test-{secrets.token_hex(4)}:"
    served = serve(database_url=postgres_url, redis_url=shared_redis().url, redis_prefix=prefix)
    visitor, call = served.visitor(), served.provider.hold()
    reply = visitor.ask()
    reply.until("connected")
    call.say("half an ")
    reply.until("token")
    takeover = served.mounted._takeover
    monkeypatch.setattr("chatbubble.takeover._ORPHAN_S", 0.0)
    running = frozenset(served.mounted.store.running_streams())
    takeover.sweep(running)
    assert visitor.conversation()["activeStream"] is not None
    takeover.sweep(frozenset())
    gevent.sleep(0.01)
    takeover.sweep(frozenset())
    assert visitor.conversation()["activeStream"] is None
    assert visitor.conversation()["messages"][-1]["errorCode"] == "INTERRUPTED"
    assert reply.until_end()[-1].data["code"] == "INTERRUPTED"
    call.finish()
