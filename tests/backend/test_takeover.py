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

from chatbubble.errors import StoreUnavailable
from chatbubble.events import Sources
from chatbubble.fleets import redis_leases
from chatbubble.leases import Claim
from chatbubble.records import Answer, Question, Source, Turn
from chatbubble.store import AnswerPart

NOTICED_S = 8.0


@pytest.fixture
def settings(postgres_url: str) -> dict[str, str]:
    """Those of one process on PostgreSQL and Redis."""
    prefix = f"test-{secrets.token_hex(4)}:"
    return {"database_url": postgres_url, "redis_url": shared_redis().url, "redis_prefix": prefix}


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


class Asked:
    """A running answer of a process that is about to die or to hang, and a reader of it at another one."""

    def __init__(self, leaving: ServerProcess, staying: ServerProcess) -> None:
        self.visitor = leaving.visitor()
        self.own = self.visitor.ask("answer: 100 tokens at 20 ms")
        self.own.until("token")
        self.stream_id = self.own.seen[0].data["streamId"]
        self.there = same_visitor(self.visitor, staying)
        self.following = self.there.resume(self.stream_id)
        self.following.until("token")

    def check(self) -> None:
        """Whoever reads it, wherever, ends with the whole answer, which is the stored one."""
        self.following.until_end()
        assert self.following.seen[-1].type == "done"
        text = self.following.seen[-1].data["fullText"]
        assert joined_text(self.following.seen) == text
        with suppress(ConnectionError):
            self.own.until_end()
        assert not [event for event in self.own.seen if event.type in ("done", "error")]
        assert joined_text([*self.own.seen, *read_on(self.there, self.stream_id, self.own.last_event_id)]) == text
        assert [message["content"] for message in self.there.conversation()["messages"]][1:] == [text]


def test_the_answer_of_a_process_that_dies_or_hangs_is_given_whole_by_another(deployment: Deployment) -> None:
    dying, hanging = deployment.start(2)
    living = deployment.processes[0]
    before = len(deployment.model.requests)
    killed, hung = Asked(dying, living), Asked(hanging, living)
    dying.kill()
    hanging.signal(signal.SIGSTOP)
    died_at = time.monotonic()
    for asked in (killed, hung):
        asked.following.until("reset")
    noticed_s = time.monotonic() - died_at
    print(f"noticed after {noticed_s:.1f} s")  # noqa: T201 -- the figure belongs in the report
    assert noticed_s < NOTICED_S
    # It wakes while another one gives its answer, and must not say a word more of it.
    hanging.signal(signal.SIGCONT)
    for asked in (killed, hung):
        asked.check()
    assert len(deployment.model.requests) - before == 4
    assert joined_text(read_on(same_visitor(hung.visitor, hanging), hung.stream_id, "")) == joined_text(
        hung.following.seen
    )
    assert killed.there.ask("and now?").status == 200


def test_a_turn_that_two_processes_have_died_of_ends_as_interrupted(serve: Serve, settings: dict[str, str]) -> None:
    served = serve(**settings)
    visitor, call = served.visitor(), served.provider.hold()
    reply = visitor.ask()
    stream_id = reply.until("connected")[0].data["streamId"]
    call.say("half an ", "answer")
    while joined_text(reply.seen) != "half an answer":
        reply.until("token")
    served.mounted.store.save_parts([AnswerPart(stream_id, 0, "half an answer")])
    turn = served.mounted.store.find_turn(stream_id)
    assert turn is not None
    question = Question("", turn.turn.visitor_id, turn.turn.request_id)
    served.mounted._takeover.take_over(Claim(stream_id, question, attempt=3))
    events = reply.until_end()
    assert (events[-1].data["code"], events[-1].data["retryable"]) == ("INTERRUPTED", True)
    kept = visitor.conversation()["messages"][-1]
    assert (
        (kept["errorCode"], kept["content"])
        == ("INTERRUPTED", joined_text(reply.seen))
        == ("INTERRUPTED", "half an answer")
    )
    served.provider.script("at once")
    assert joined_text(visitor.ask().until_end()) == "at once"
    call.finish()


def test_a_turn_that_cannot_be_taken_over_now_keeps_nobody_waiting(
    serve: Serve, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serve(**settings)
    visitor, call = served.visitor(), served.provider.hold()
    reply = visitor.ask()
    stream_id = reply.until("connected")[0].data["streamId"]
    turn = served.mounted.store.find_turn(stream_id)
    assert turn is not None
    claim = Claim(stream_id, Question("", turn.turn.visitor_id, turn.turn.request_id), attempt=2)

    def fail(_stream_id: str) -> None:
        raise StoreUnavailable(detail="away")

    with monkeypatch.context() as away:
        away.setattr(served.mounted.store, "restart_turn", fail)
        with pytest.raises(StoreUnavailable):
            served.mounted._takeover.take_over(claim)
    assert [event.type for event in reply.events()] in ([], ["reset"])
    served.provider.script("a whole answer")
    served.mounted._takeover.take_over(claim)
    assert joined_text(visitor.resume(stream_id).until_end()) == "a whole answer"
    call.finish()


def test_a_turn_that_nobody_runs_is_run_again_once(
    serve: Serve, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serve(**settings)
    visitor, call = served.visitor(), served.provider.hold()
    reply = visitor.ask()
    stream_id = reply.until("connected")[0].data["streamId"]
    call.say("half an ")
    reply.until("token")
    takeover, store = served.mounted._takeover, served.mounted.store
    monkeypatch.setattr("chatbubble.takeover._ORPHAN_S", 0.0)
    assert takeover.sweep(frozenset(store.running_streams())) == []
    assert takeover.sweep(frozenset()) == []
    gevent.sleep(0.01)
    (left,) = takeover.sweep(frozenset())
    assert (left.stream_id, left.attempt) == (stream_id, 2)
    served.provider.script("a whole answer")
    takeover.take_over(left)
    assert joined_text(reply.until_end()) == "a whole answer"
    assert visitor.conversation()["messages"][-1]["content"] == "a whole answer"
    assert takeover.sweep(frozenset()) == []
    call.finish()


def test_a_turn_that_nobody_runs_for_the_second_time_is_ended(
    serve: Serve, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serve(**settings)
    visitor, call = served.visitor(), served.provider.hold()
    reply = visitor.ask()
    stream_id = reply.until("connected")[0].data["streamId"]
    takeover = served.mounted._takeover
    monkeypatch.setattr("chatbubble.takeover._ORPHAN_S", 0.0)
    served.mounted.store.restart_turn(stream_id)
    takeover.sweep(frozenset())
    gevent.sleep(0.01)
    (left,) = takeover.sweep(frozenset())
    assert left.attempt == 3
    takeover.take_over(left)
    assert visitor.conversation()["activeStream"] is None
    assert visitor.conversation()["messages"][-1]["errorCode"] == "INTERRUPTED"
    assert reply.until_end()[-1].data["code"] == "INTERRUPTED"
    call.finish()


def test_an_answer_that_was_told_and_not_saved_is_saved_as_it_was_told(
    serve: Serve, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = serve(**settings), serve(**settings)
    there.mounted.start()
    visitor, call = here.visitor(), here.provider.hold()

    def fail(_turn: Turn, _answer: Answer) -> bool:
        raise StoreUnavailable(detail="away")

    monkeypatch.setattr(here.mounted.store, "finish_turn", fail)
    reply = visitor.ask()
    source = Source("Opening hours", "https://shop.example/hours", "From nine to six.", 1)
    call.finish("a whole ", Sources((source,)), "answer")
    events = reply.until_end()
    claim = Claim(events[0].data["streamId"], Question("", "", ""), attempt=2)
    there.mounted._takeover.take_over(claim)
    assert there.provider.calls == []
    kept = Visitor(there.port, visitor.session).conversation()["messages"][-1]
    assert (
        (kept["content"], kept["finishReason"]) == (events[-1].data["fullText"], "stop") == ("a whole answer", "stop")
    )
    assert [source["title"] for source in kept["sources"]] == ["Opening hours"]
    monkeypatch.undo()
    here.await_stats(unsaved=0)
    assert Visitor(there.port, visitor.session).conversation()["messages"][-1] == kept


def test_a_stopping_server_hands_over_what_it_cannot_finish(
    serve: Serve, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("LEASE_S", 0.6), ("RENEW_S", 0.1)):
        monkeypatch.setattr(redis_leases, name, value)
    here, there = serve(drain_s=0, **settings), serve(**settings)
    for served in (here, there):
        served.mounted.start()
    visitor, call = here.visitor(), here.provider.hold()
    reply = visitor.ask()
    stream_id = reply.until("connected")[0].data["streamId"]
    call.say("half an ")
    reply.until("token")
    gevent.sleep(1)  # as long as it takes until leases may be claimed
    assert len(here.mounted.fleet.get_others()) == 1
    there.provider.script("a whole answer")
    here.mounted.drain()
    with suppress(ConnectionError):
        reply.until_end()
    other = Visitor(there.port, visitor.session)
    events = [*reply.seen, *read_on(other, stream_id, reply.last_event_id)]
    assert [event.type for event in events if event.type in ("reset", "done", "error")] == ["reset", "done"]
    assert joined_text(events) == other.conversation()["messages"][-1]["content"] == "a whole answer"


def test_the_last_server_that_stops_hands_nothing_over(serve: Serve, settings: dict[str, str]) -> None:
    served = serve(drain_s=0, **settings)
    call = served.provider.hold()
    reply = served.visitor().ask()
    reply.until("connected")
    call.say("half an ")
    reply.until("token")
    served.mounted.drain()
    assert reply.until_end()[-1].data["code"] == "INTERRUPTED"
