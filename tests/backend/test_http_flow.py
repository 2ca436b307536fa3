"""Questions, answers, cursors and refusals over real HTTP."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hosting import JSON, HostSite, Site, assert_refused, bearer, new_session, question, stream_id_of
from raw_http import Wire, request


def test_before_the_first_question_the_conversation_is_empty(site: Site) -> None:
    answer = site.call("GET", "/conversation", [bearer(new_session())])
    assert answer.json() == {"conversationId": None, "messages": [], "activeStream": None}
    assert answer.get("Cache-Control") == "no-store"


def test_a_question_is_answered_and_found_in_the_conversation(site: Site) -> None:
    session = new_session()
    answer = site.ask(session, "Wo liegt München? 😀", requestId="req:1")
    assert answer.status == 200
    assert answer.get("Content-Type") == "text/event-stream; charset=utf-8"
    assert answer.get("Cache-Control") == "no-cache, no-transform"
    assert answer.get("X-Accel-Buffering") == "no"
    assert answer.body.startswith(b"retry: 1000\n")
    assert answer.body.count(b"event: done\n") == 1
    visitor, assistant = site.call("GET", "/conversation", [bearer(session)]).json()["messages"]
    assert (visitor["author"], visitor["content"]) == ("visitor", "Wo liegt München? 😀")
    assert visitor["requestId"] == "req:1"
    assert (assistant["author"], assistant["content"]) == ("assistant", "You said: Wo liegt München? 😀")
    assert (assistant["finishReason"], assistant["errorCode"]) == ("stop", None)
    assert (assistant["sources"], assistant["suggestions"], assistant["feedback"]) == (None, None, None)
    assert list(assistant) == [
        "messageId", "author", "content", "finishReason", "errorCode", "requestId", "createdAt",
        "sources", "suggestions", "feedback",
    ]  # fmt: skip


def test_an_erased_conversation_is_gone(site: Site) -> None:
    session = new_session()
    site.ask(session)
    erased = site.call("DELETE", "/conversation", [bearer(session)])
    assert (erased.status, erased.body) == (204, b"")
    assert site.call("GET", "/conversation", [bearer(session)]).json()["messages"] == []
    assert site.call("DELETE", "/conversation", [bearer(session)]).status == 204


CURSORS = [
    "x", "0", "-1", "1.2.3", ".", "a.", ".1", "a.01", "a.-1", "a.1e3", "😀", "a" * 30 + ".1", "a." + "9" * 16,
    "a.1 b.2", "x" * 6000, "a.١", "null", "undefined", "%0a", "a.1,a.2", "'", "a.1\x00", "\xff\xfe",
]  # fmt: skip


@pytest.mark.parametrize("cursor", CURSORS)
def test_a_cursor_that_does_not_fit_gets_the_whole_answer_again(site: Site, cursor: str) -> None:
    session = new_session()
    stream_id = stream_id_of(site.ask(session))
    wire = cursor.encode().decode("latin-1")
    if "\x00" not in cursor:
        sent = site.call("GET", f"/chat/{stream_id}", [bearer(session), ("Last-Event-ID", wire)])
        assert sent.status == 200
        assert sent.body.index(b"event: reset\n") < sent.body.index(b"You said: ") < sent.body.index(b"event: done\n")
    asked = site.call("GET", f"/chat/{stream_id}?lastEventId={quote(cursor)}", [bearer(session)])
    assert asked.body.index(b"event: reset\n") < asked.body.index(b"You said: ")


def test_a_query_of_raw_bytes_is_a_bad_request(site: Site) -> None:
    session = new_session()
    address = f"/chat/{stream_id_of(site.ask(session))}?lastEventId=a.\xe9"
    assert_refused(site.call("GET", address, [bearer(session)]), 400, "BAD_REQUEST")
    answer = site.call("GET", address, [bearer(session), ("Last-Event-ID", "a.1")])
    assert answer.status == 200


def test_an_answer_that_was_read_to_its_end_has_nothing_more(site: Site) -> None:
    session = new_session()
    asked = site.ask(session)
    last = asked.body.rpartition(b"\nid: ")[2].split(b"\n")[0].decode()
    answer = site.call("GET", f"/chat/{stream_id_of(asked)}", [bearer(session), ("Last-Event-ID", last)])
    assert (answer.status, answer.body) == (204, b"")
    assert answer.get("X-Content-Type-Options") == "nosniff"
    assert answer.get("Cache-Control") == "no-store"


def test_somebody_elses_stream_looks_like_none(site: Site) -> None:
    session = new_session()
    stream_id = stream_id_of(site.ask(session))
    stranger = [bearer(new_session())]
    for method, rest in (("GET", ""), ("POST", "/abort")):
        theirs = site.call(method, f"/chat/{stream_id}{rest}", stranger)
        nobodys = site.call(method, f"/chat/{stream_id[::-1]}{rest}", stranger)
        assert (theirs.status, theirs.body) == (nobodys.status, nobodys.body)
        assert_refused(theirs, 404, "NOT_FOUND")


def test_a_question_while_one_is_answered_names_the_running_stream(host_site: HostSite) -> None:
    site, session = host_site(), new_session()
    site.provider.gate.clear()
    with Wire(site.port) as first:
        first.send(request("POST", "/api/ai/chat", [JSON], question(session)))
        first.read(has_body=False)
        error = assert_refused(site.ask(session, "and another"), 409, "TURN_RUNNING")
        active = site.call("GET", "/conversation", [bearer(session)]).json()["activeStream"]
        assert error["streamId"] == active["streamId"]
        site.provider.gate.set()


def test_a_request_id_belongs_to_one_question(site: Site) -> None:
    session = new_session()
    site.ask(session, "one", requestId="same")
    assert_refused(site.ask(session, "two", requestId="same"), 409, "REQUEST_MISMATCH")


def test_a_full_server_says_when_to_come_back(host_site: HostSite) -> None:
    site = host_site(max_streams=1)
    with Wire(site.port) as first:
        first.send(request("GET", "/api/ai/stream", [bearer(new_session())]))
        assert first.read(has_body=False).status == 200
        answer = site.ask(new_session())
        assert_refused(answer, 503, "OVERLOADED")
        assert answer.get("Retry-After") == "5"
        assert site.provider.questions == []


def test_a_stopping_server_takes_no_questions(host_site: HostSite) -> None:
    site = host_site()
    site.call("GET", "/conversation", [bearer(new_session())])
    site.mounted.workers.drain(0)
    answer = site.ask(new_session())
    assert_refused(answer, 503, "SHUTTING_DOWN")
    assert answer.get("Retry-After") == "5"
    health = site.call("GET", "/healthz")
    assert (health.status, health.json()["parts"]["server"]) == (503, "draining")


def test_without_its_database_the_server_says_so_and_still_serves_the_widget(
    host_site: HostSite, caplog: pytest.LogCaptureFixture
) -> None:
    site = host_site(database_url="sqlite:////nowhere/at/all/chat.db")
    answer = site.ask(new_session())
    assert_refused(answer, 503, "STORE_UNAVAILABLE")
    assert answer.get("Retry-After") == "5"
    health = site.call("GET", "/healthz")
    assert (health.status, health.json()["parts"]["store"]) == (503, "unavailable")
    assert [site.call("GET", path).status for path in ("/widget.js", "/config")] == [200, 200]
    assert "unable to open database file" in caplog.text


def test_a_fault_of_ours_is_a_safe_answer_and_a_log_entry(
    host_site: HostSite, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = host_site()

    def fail(_visitor_id: str) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(site.mounted.chat, "snapshot", fail)
    answer = site.call("GET", "/conversation?a%0Ab", [bearer(new_session())])
    assert_refused(answer, 500, "STREAM_ERROR")
    assert b"secret" not in answer.body
    assert "secret of the inside" in caplog.text


def test_a_path_with_a_line_end_stays_one_line_in_the_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    site.call("GET", "/x%0aERROR%20forged", [("Origin", "https://evil.example\x85ERROR forged")])
    assert not [record for record in caplog.records if len(record.getMessage().splitlines()) > 1]
