"""What a visitor writes is refused by the rules of docs/wire.md, or stored and given back as it came."""

from __future__ import annotations

import json

import pytest
from hosting import JSON, Site, assert_refused, bearer, new_session
from raw_http import Answer

SHOWN = {
    "4,000 characters": "x" * 4000,
    "4,000 smileys of one character each": "\U0001f600" * 3999 + "!",
    "3,999 combining marks": "e" + "\u0301" * 3999,
    "marks alone": "\u0301\u0302",
    "control characters": "bell\x07 escape\x1b[31m delete\x7f next line\x85end",
    "line ends of all kinds": "a\rb\nc\r\nd\u2028e\u2029f\vg\fh",
    "an override of the direction": "invoice\u202efdp.exe",
    "isolates that are never closed": "\u2066\u2067\u2068 open",
    "right to left": "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
    "tag characters": "visible\U000e0049\U000e0067\U000e006e\U000e006f\U000e0072\U000e0065",
    "zero-width characters inside": "a\u200b\u200c\u200d\u2060\ufeffb",
    "a family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "private and unassigned characters": "\ue000\U0010ffff\ufffe\u0378",
    "two ways to write one letter": "\u00e9 e\u0301 \u212b \u00c5",
    "what looks like an escape": r"\u0000 \n \x00 &#0; %00 &lt;b&gt;",
    "tags of HTML": "<script>alert(1)</script><img src=x onerror=alert(1)>",
}
REFUSED = {
    "nothing": "",
    "blanks of all kinds": " \t\n\r\v\f\u00a0\u3000\u2003\u2028",
    "zero-width characters alone": "\u200b\u200c\u200d\u2060\ufeff",
    "tag characters alone": "\U000e0049\U000e0067",
    "overrides alone": "\u202e\u2066\u2069\u200f",
    "control characters alone": "\x01\x07\x1b\x7f\x85",
    "4,001 characters": "x" * 4001,
    "10,000 combining marks": "e" + "\u0301" * 10_000,
    "half a pair": "hello \ud83d",
}


def ask(site: Site, session: str, message: str) -> Answer:
    """`POST /chat`, in as few bytes as the message has."""
    text = json.dumps({"message": message, "sessionId": session}, ensure_ascii="\ud83d" in message)
    return site.call("POST", "/chat", [JSON], text.encode())


def contents(site: Site, session: str) -> list[str]:
    """What the visitor's conversation says."""
    messages = site.call("GET", "/conversation", [bearer(session)]).json()["messages"]
    return [message["content"] for message in messages]


def last_event(answer: Answer) -> dict[str, object]:
    """The data of the last event of a stream."""
    data = [line for line in answer.body.split(b"\n") if line.startswith(b"data: ")]
    told: dict[str, object] = json.loads(data[-1][6:])
    return told


@pytest.mark.parametrize("name", SHOWN)
def test_it_is_stored_told_and_given_back_as_it_came(site: Site, name: str) -> None:
    session, message = new_session(), SHOWN[name]
    answer = ask(site, session, f" {message}\n")
    assert answer.status == 200
    assert site.provider.questions[-1] == message
    assert last_event(answer)["fullText"] == f"You said: {message}"
    assert contents(site, session) == [message, f"You said: {message}"]


def test_a_nul_becomes_a_replacement_character_for_all(site: Site) -> None:
    session = new_session()
    assert last_event(ask(site, session, "a\0b"))["fullText"] == "You said: a\ufffdb"
    assert contents(site, session) == ["a\ufffdb", "You said: a\ufffdb"]


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_and_leaves_nothing(site: Site, name: str) -> None:
    session, asked = new_session(), len(site.provider.questions)
    answer = ask(site, session, REFUSED[name])
    too_many_bytes = len(REFUSED[name].encode("utf-8", "surrogatepass")) > 16_384
    if too_many_bytes:
        assert_refused(answer, 413, "PAYLOAD_TOO_LARGE")
    else:
        assert assert_refused(answer, 400, "BAD_REQUEST")["field"] == "message"
    assert len(site.provider.questions) == asked
    assert contents(site, session) == []
