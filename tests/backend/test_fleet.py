"""What the processes of a deployment tell each other: here two apps of one process, on one Redis."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable

import gevent
import pytest
from redis_server import shared_redis
from serving import Serve, Served
from store_forms import answer
from stream_client import Reply

from chatbubble import chat
from chatbubble.errors import ClientNotFound


@pytest.fixture
def settings(postgres_url: str) -> dict[str, str]:
    """One database, one Redis, one prefix."""
    prefix = f"test-{secrets.token_hex(4)}:"
    return {"database_url": postgres_url, "redis_url": shared_redis().url, "redis_prefix": prefix}


@pytest.fixture
def pair(serve: Serve, settings: dict[str, str]) -> tuple[Served, Served]:
    """Two apps that share them, started."""
    served = serve(**settings), serve(**settings)
    for each in served:
        each.mounted.start()
    return served


def listen(served: Served) -> Reply:
    """A client on `GET /stream`."""
    reply = served.visitor().get("/stream")
    reply.until("connected")
    return reply


def in_context(served: Served, do: Callable[[], object]) -> object:
    with served.app.app_context():
        return do()


def test_a_broadcast_reaches_the_clients_of_every_process(pair: tuple[Served, Served]) -> None:
    here, there = pair
    clients = [listen(served) for served in (here, there, there)]
    in_context(here, lambda: here.chatbubble.broadcast("notice", {"text": "We close at six."}))
    assert [client.next_event().data for client in clients] == [{"text": "We close at six."}] * 3


def test_what_is_broadcast_twice_comes_twice_and_in_order(pair: tuple[Served, Served]) -> None:
    here, there = pair
    client = listen(there)
    for number in (1, 1, 2, 3):
        in_context(here, lambda number=number: here.chatbubble.broadcast("count", number))  # type: ignore[misc]
    assert [client.next_event().data for _ in range(4)] == [1, 1, 2, 3]


def test_an_event_reaches_one_client_at_another_process(pair: tuple[Served, Served]) -> None:
    here, there = pair
    one, other = listen(there), listen(there)
    client_id = one.seen[0].data["clientId"]
    in_context(here, lambda: here.chatbubble.send(client_id, "notice", 1))
    in_context(here, lambda: here.chatbubble.broadcast("end", 2))
    assert [one.next_event().data, one.next_event().data, other.next_event().data] == [1, 2, 2]


def test_a_client_that_no_process_has_is_not_found(pair: tuple[Served, Served]) -> None:
    here, there = pair
    gone = listen(there)
    gone.close()
    there.await_stats(activeChannels=0)
    with pytest.raises(ClientNotFound):
        in_context(here, lambda: here.chatbubble.send(gone.seen[0].data["clientId"], "notice", 1))


def test_a_process_that_stops_is_counted_no_more(pair: tuple[Served, Served]) -> None:
    here, there = pair
    deadline = time.monotonic() + 10
    while len(here.mounted.get_stats()["processes"]) != 2:
        assert time.monotonic() < deadline
        gevent.sleep(0.05)
    there.mounted.fleet.close()
    while len(here.mounted.get_stats()["processes"]) != 1:
        assert time.monotonic() < deadline, "still counted"
        gevent.sleep(0.05)


def test_a_stream_that_goes_while_the_store_is_asked_is_out_of_reach_and_not_unknown(
    pair: tuple[Served, Served], settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = pair
    here.provider.hold()
    visitor = here.visitor()
    stream_id = visitor.ask("Where is my parcel?").next_event().data["streamId"]
    find_turn = there.mounted.store.find_turn

    def look(wanted: str, visitor_id: str | None = None) -> object:
        for key in shared_redis().keys(settings["redis_prefix"]):
            shared_redis().ask("DEL", key)
        there.mounted.log.discard(wanted)  # as what follows Redis does when that has forgotten
        return find_turn(wanted, visitor_id)

    monkeypatch.setattr(there.mounted.store, "find_turn", look)
    refusal = there.visitor(visitor.session).resume(stream_id)
    assert (refusal.status, refusal.json()["error"]["code"]) == (503, "STORE_UNAVAILABLE")


def test_many_who_read_on_elsewhere_look_into_the_store_once(
    pair: tuple[Served, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = pair
    monkeypatch.setattr(chat, "_RUNS_FOR_S", 60.0)
    here.provider.hold()
    visitor = here.visitor()
    stream_id = visitor.ask("Where is my parcel?").next_event().data["streamId"]
    looks: list[str] = []
    find_turn = there.mounted.store.find_turn

    def look(wanted: str, visitor_id: str | None = None) -> object:
        looks.append(wanted)
        return find_turn(wanted, visitor_id)

    monkeypatch.setattr(there.mounted.store, "find_turn", look)
    elsewhere = there.visitor(visitor.session)
    readers = [gevent.spawn(lambda: elsewhere.resume(stream_id).next_event().type) for _ in range(50)]
    gevent.joinall(readers, timeout=30, raise_error=True)
    assert [reader.value for reader in readers] == ["connected"] * 50
    assert looks == [stream_id]


def test_who_reads_on_elsewhere_reaches_an_end_that_only_the_store_knows(pair: tuple[Served, Served]) -> None:
    here, there = pair
    here.provider.hold()
    visitor = here.visitor()
    stream_id = visitor.ask("Where is my parcel?").next_event().data["streamId"]
    elsewhere = there.visitor(visitor.session)
    assert elsewhere.resume(stream_id).next_event().type == "connected"  # the store was asked, and said that it runs
    gevent.sleep(chat._RUNS_FOR_S)
    turn = here.mounted.store.find_turn(stream_id).turn  # type: ignore[union-attr]
    here.mounted.store.finish_turn(turn, answer("It is on its way."))

    def read_on() -> str:
        with gevent.Timeout(10):
            while True:
                with contextlib.suppress(ConnectionError):
                    return str(elsewhere.resume(stream_id).until("done")[-1].data["fullText"])

    readers = [gevent.spawn(read_on) for _ in range(20)]
    gevent.joinall(readers, timeout=30, raise_error=True)
    assert [reader.value for reader in readers] == ["It is on its way."] * 20
