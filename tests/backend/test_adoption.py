"""A person who takes over what they said before they were named, over real HTTP: only they, only that, and once."""

from __future__ import annotations

from typing import Any

import pytest
from adopting import adopt, session_of
from hosting import SHOP, HostSite, bearer, new_session
from identities import SECRET
from serving import Serve, Served
from stream_client import Connection, Reply, Visitor

from chatbubble.errors import StoreUnavailable
from chatbubble.identity import name_person
from chatbubble.signed_sessions import SessionSigner
from chatbubble.visitors import visitor_of_person


def refusal(reply: Reply) -> tuple[int, str]:
    """Its status, and the code of its error."""
    return reply.status, reply.json()["error"]["code"]


def contents(visitor: Visitor) -> list[str]:
    """What a visitor's conversation says."""
    return [message["content"] for message in visitor.conversation()["messages"]]


@pytest.fixture
def shop(serve: Serve) -> Served:
    """A server that knows its visitors by name."""
    return serve(identity_secret=SECRET)


@pytest.fixture
def nell(shop: Served) -> Visitor:
    return shop.visitor(session_of("nell"))


@pytest.fixture
def nameless(shop: Served) -> Visitor:
    return shop.visitor()


def talk(shop: Served, visitor: Visitor, question: str, answer: str) -> str:
    """One whole turn; returns its stream."""
    shop.provider.script(answer)
    stream_id: str = visitor.ask(question).until_end()[0].data["streamId"]
    return stream_id


def test_what_was_said_without_a_name_becomes_the_persons(shop: Served, nell: Visitor, nameless: Visitor) -> None:
    talk(shop, nameless, "Do you ship to Norway?", "Yes.")
    talk(shop, nell, "Where is my order?", "On its way.")
    talk(shop, nameless, "And to Chile?", "No.")
    before = {**nell.conversation(), "messages": None}
    for _ in range(2):
        reply = adopt(nell, nameless.session)
        assert (reply.status, reply.read()) == (204, b"")
        assert contents(nell) == [
            "Do you ship to Norway?", "Yes.", "Where is my order?", "On its way.", "And to Chile?", "No.",
        ]  # fmt: skip
        assert nameless.conversation()["messages"] == []
    assert {**nell.conversation(), "messages": None} == before
    # The model, too, is told all of it from now on.
    shop.provider.script("Oslo.")
    nell.ask("Where to, then?").until_end()
    assert len(shop.provider.calls[-1].prompt.messages) == 1 + 7


def test_nothing_is_merged_by_itself(shop: Served, nell: Visitor, nameless: Visitor) -> None:
    talk(shop, nameless, "Before I signed in.", "I see.")
    talk(shop, nell, "After.", "I see.")
    assert contents(nell) == ["After.", "I see."]
    assert contents(nameless) == ["Before I signed in.", "I see."]


def test_its_streams_are_told_to_the_person_and_to_nobody_else(shop: Served, nell: Visitor, nameless: Visitor) -> None:
    stream_id = talk(shop, nameless, "hello", "Hi there.")
    assert nameless.resume(stream_id).until_end()[-1].data["fullText"] == "Hi there."
    assert adopt(nell, nameless.session).status == 204
    assert nell.resume(stream_id).until_end()[-1].data["fullText"] == "Hi there."
    assert nell.abort(stream_id).json() == {"streamId": stream_id, "state": "done"}
    assert (nameless.resume(stream_id).status, nameless.abort(stream_id).status) == (404, 404)


def test_a_reader_who_lags_behind_gets_an_end_and_nothing_of_the_text(
    shop: Served, nell: Visitor, nameless: Visitor
) -> None:
    shop.provider.script(*["word " * 1000] * 200)
    slow = nameless.ask(receive_buffer=4096)
    shop.await_stats(turnsDone=1)
    assert adopt(nell, nameless.session).status == 204
    events = slow.until_end()
    assert [event.type for event in events if event.type in ("done", "error")] == ["done"]
    assert events[-1].data["fullText"] == ""
    assert len(contents(nell)[1]) == 1_000_000


@pytest.mark.parametrize("whose", ["the person's", "the nameless visitor's"])
def test_while_an_answer_of_either_runs_it_is_refused(
    shop: Served, nell: Visitor, nameless: Visitor, whose: str
) -> None:
    talk(shop, nameless, "one", "1")
    talk(shop, nell, "two", "2")
    call = shop.provider.hold()
    running = (nell if whose == "the person's" else nameless).ask("three")
    stream_id = running.next_event().data["streamId"]
    refused = adopt(nell, nameless.session)
    assert refused.status == 409
    error = refused.json()["error"]
    assert (error["code"], error["retryable"], error["streamId"]) == ("TURN_RUNNING", True, stream_id)
    call.finish("3")
    assert running.until_end()[-1].data["fullText"] == "3"
    assert adopt(nell, nameless.session).status == 204
    assert contents(nell) == ["one", "1", "two", "2", "three", "3"]


def test_answers_that_only_wait_to_be_saved_are_saved_and_adopted(
    shop: Served, nell: Visitor, nameless: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    nell.conversation()
    store = shop.mounted.store
    finish = store.finish_turn

    def refuse(*_: Any) -> bool:
        raise StoreUnavailable(detail="it is away")

    monkeypatch.setattr(store, "finish_turn", refuse)
    talk(shop, nameless, "one", "1")
    talk(shop, nell, "two", "2")
    assert refusal(adopt(nell, nameless.session)) == (409, "TURN_RUNNING")
    monkeypatch.setattr(store, "finish_turn", finish)
    # Neither waits for the next round of what saves them later.
    monkeypatch.setattr(shop.mounted.saver, "_work", lambda: None)
    assert adopt(nell, nameless.session).status == 204
    assert contents(nell) == ["one", "two", "1", "2"]


def test_only_a_person_adopts(shop: Served, nameless: Visitor) -> None:
    talk(shop, nameless, "hello", "Hi.")
    stranger = shop.visitor()
    for caller in (stranger, nameless):
        assert refusal(adopt(caller, nameless.session)) == (401, "IDENTITY_REFUSED")
    for session in (session_of("nell", ends_in_s=-1), SessionSigner(SECRET[::-1]).sign("0" * 48).session_id):
        assert refusal(adopt(shop.visitor(session), nameless.session)) == (401, "SESSION_EXPIRED")
    body = {"sessionId": nameless.session}
    reply = Connection(shop.port).request("POST", "/api/ai/conversation/adopt", body=body)
    assert refusal(reply) == (401, "SESSION_MISSING")
    assert contents(nameless) == ["hello", "Hi."]


def test_a_persons_conversation_is_never_adopted(shop: Served, nell: Visitor) -> None:
    olga = shop.visitor(session_of("olga"))
    talk(shop, olga, "A secret.", "Hush.")
    refused = {
        refusal(adopt(nell, session))
        for session in (olga.session, session_of("olga"), session_of("olga", ends_in_s=-1), session_of("nobody"),
                        f"signed_{'0' * 32}", nell.session)
    }  # fmt: skip
    assert refused == {(400, "BAD_REQUEST")}
    # Nor by any name that the server has for her.
    person = name_person("", "olga")
    for name in (person, visitor_of_person(person), f"person-{person}"):
        assert adopt(nell, name).status == 204
    assert (contents(olga), contents(nell)) == (["A secret.", "Hush."], [])


def test_who_guesses_learns_nothing_and_gets_nothing(shop: Served, nell: Visitor, nameless: Visitor) -> None:
    stream_id = talk(shop, nameless, "hello", "Hi.")
    conversation = nameless.conversation()
    ids = [conversation["conversationId"], conversation["messages"][0]["messageId"], stream_id, new_session()]
    assert {(reply.status, reply.read()) for reply in (adopt(nell, each) for each in ids)} == {(204, b"")}
    assert contents(nell) == []
    assert nameless.conversation() == conversation


@pytest.mark.parametrize("given", [None, 7, [], {}, "", "short", "x" * 129, "with blanks in the id", "née-née-née-née"])
def test_what_is_no_session_id_is_a_bad_request(shop: Served, nell: Visitor, given: Any) -> None:
    reply = adopt(nell, given)
    error = reply.json()["error"]
    assert (reply.status, error["code"], error["field"]) == (400, "BAD_REQUEST", "sessionId")


def test_a_body_without_one_is_a_bad_request(shop: Served, nell: Visitor) -> None:
    for body in ({}, {"token": "x"}):
        path = "/api/ai/conversation/adopt"
        reply = Connection(shop.port).request("POST", path, body=body, session=nell.session)
        assert (reply.status, reply.json()["error"]["field"]) == (400, "sessionId")


def test_no_page_of_another_origin_adopts(serve: Serve) -> None:
    shop = serve(identity_secret=SECRET, allowed_origins=SHOP)
    nell, nameless = shop.visitor(session_of("nell")), shop.visitor()
    talk(shop, nameless, "hello", "Hi.")
    evil = {"Origin": "https://evil.example"}
    assert refusal(adopt(nell, nameless.session, evil)) == (403, "ORIGIN_REFUSED")
    reply = nell.get("/conversation/adopt")
    assert (reply.status, reply.headers["allow"]) == (405, "OPTIONS, POST")
    assert contents(nell) == []
    assert adopt(nell, nameless.session, {"Origin": SHOP}).status == 204


def test_who_comes_under_that_session_again_is_a_new_visitor_to_the_limits(host_site: HostSite) -> None:
    site = host_site(identity_secret=SECRET, rate_limit="100/minute", new_visitors_limit="1/hour")
    nell, nameless = Visitor(site.port, session_of("nell")), Visitor(site.port)
    assert [site.ask(nameless.session).status, site.ask(nameless.session).status] == [200, 200]
    assert site.ask(nell.session).status == 429
    assert adopt(nell, nameless.session).status == 204
    # She has a conversation now; who comes next under that id has none.
    assert site.ask(nell.session).status == 200
    assert site.ask(nameless.session).status == 429
    assert site.call("GET", "/conversation", [bearer(nameless.session)]).json()["messages"] == []
