"""What servers answer, and what becomes of it: the real package over real HTTP."""

from __future__ import annotations

import gzip

import pytest
from asking import KEY, MODEL, Outcome, ask, ask_once, provider_at
from model_server import ModelServer
from model_steps import (
    DONE,
    Step,
    chunk,
    close,
    completion,
    delta,
    end,
    failure,
    finish,
    frame,
    head,
    json_reply,
    raw,
    reply,
    reset,
    stall,
    stream,
    usage,
    wait,
)

from chatbubble.errors import (
    ChatbubbleError,
    ContentFiltered,
    UpstreamBusy,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from chatbubble.providers import retries
from chatbubble.records import Finish, FinishReason, Usage

EMOJI = "\U0001f469\u200d\U0001f467 你好"


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries have tests of their own; here they need not wait."""
    monkeypatch.setattr(retries, "FIRST_DELAY_S", 0.01)


def check_failure(outcome: Outcome, expected: type[ChatbubbleError], server: ModelServer) -> None:
    """The right code, our own words for the visitor, and no key anywhere."""
    assert type(outcome.failure) is expected
    assert outcome.failure.message == expected.message
    assert outcome.failure.to_body()["error"] == {
        "code": expected.code,
        "message": expected.message,
        "retryable": expected.retryable,
    }
    for shown in (outcome.failure.message, str(outcome.failure), outcome.failure.detail):
        assert KEY not in shown
    assert str(server.port) not in outcome.failure.message


def test_an_answer_comes_in_pieces_with_its_usage(model_server: ModelServer) -> None:
    pause = wait(0.02)
    tail = [chunk(finish()), chunk(usage(7, 2)), chunk(DONE), end()]
    outcome = ask_once(model_server, [head(), chunk(delta("Hel")), pause, chunk(delta("lo")), pause, *tail])
    assert outcome == Outcome(["Hel", "lo"], Finish(FinishReason.STOP, Usage(7, 2)))


@pytest.mark.parametrize(
    ("reply_steps", "expected"),
    [
        (failure(400), UpstreamRefused),
        (failure(400, "content_filter"), ContentFiltered),
        (failure(401, "invalid_api_key", f"Incorrect API key provided: {KEY}."), UpstreamRefused),
        (failure(403), UpstreamRefused),
        (failure(404, "model_not_found"), UpstreamRefused),
        (failure(413), UpstreamRefused),
        (failure(422), UpstreamRefused),
        (failure(429), UpstreamBusy),
        (failure(429, "insufficient_quota"), UpstreamRefused),
        (failure(408), UpstreamTimeout),
        (failure(500), UpstreamUnavailable),
        (failure(503), UpstreamUnavailable),
        (reply(502, b"<html>Bad gateway</html>", "text/html"), UpstreamUnavailable),
        (reply(404, b"", "text/plain"), UpstreamRefused),
        (reply(304, b"", "text/plain"), UpstreamRefused),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else value[0][1][9:12],
)
def test_a_status_is_mapped(
    model_server: ModelServer, reply_steps: list[Step], expected: type[ChatbubbleError]
) -> None:
    check_failure(ask_once(model_server, reply_steps), expected, model_server)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([close()], UpstreamUnavailable, id="closed before the headers"),
        pytest.param([reset()], UpstreamUnavailable, id="reset before the headers"),
        pytest.param([raw(b"HTTP/1.1 2"), reset()], UpstreamUnavailable, id="reset in the status line"),
        pytest.param([raw(b"SSH-2.0-OpenSSH\r\n\r\n"), close()], UpstreamUnavailable, id="not HTTP"),
        pytest.param([head(), close()], UpstreamUnavailable, id="closed before the body"),
        pytest.param([head(), end()], UpstreamUnavailable, id="an empty body"),
        pytest.param([head(), raw(b"zz\r\n"), close()], UpstreamUnavailable, id="a bad chunk size"),
        pytest.param(stream(b"data: {not json\n\n"), UpstreamUnavailable, id="malformed JSON"),
        pytest.param(stream(b"data: junk\n\n", DONE), UpstreamUnavailable, id="junk alone"),
        pytest.param(reply(200, b"<html>Sign in</html>", "text/html"), UpstreamUnavailable, id="a web page"),
        pytest.param(reply(200, b"<html>", "text/event-stream"), UpstreamUnavailable, id="a disguised web page"),
        pytest.param(json_reply(200, {"error": {"message": "no"}}), UpstreamUnavailable, id="an error with 200"),
        pytest.param([stall()], UpstreamTimeout, id="stall before the headers"),
        pytest.param([head(), stall()], UpstreamTimeout, id="stall before the first token"),
    ],
)
def test_what_never_becomes_an_answer(
    model_server: ModelServer, steps: list[Step], expected: type[ChatbubbleError]
) -> None:
    outcome = ask_once(model_server, steps, read_timeout_s=0.2)
    check_failure(outcome, expected, model_server)
    assert outcome.text == ""


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([close()], UpstreamUnavailable, id="closed"),
        pytest.param([end()], UpstreamUnavailable, id="ended without [DONE] or finish reason"),
        pytest.param([reset()], UpstreamUnavailable, id="reset"),
        pytest.param([raw(b"40\r\ndata: {"), reset()], UpstreamUnavailable, id="reset inside a frame"),
        pytest.param([stall()], UpstreamTimeout, id="stall between two tokens"),
        pytest.param([chunk(b'data: {"choices": [\n\n'), stall()], UpstreamUnavailable, id="malformed JSON"),
        pytest.param([chunk(frame({"error": {"message": "x"}})), stall()], UpstreamUnavailable, id="error frame"),
        pytest.param([chunk(frame({"error": {"code": 429}})), stall()], UpstreamBusy, id="error frame: busy"),
    ],
)
def test_what_breaks_an_answer_in_the_middle(
    model_server: ModelServer, steps: list[Step], expected: type[ChatbubbleError]
) -> None:
    # The pause keeps the text and the break apart on the wire.
    outcome = ask_once(model_server, [head(), chunk(delta("Hel")), wait(0.02), *steps], read_timeout_s=0.2)
    check_failure(outcome, expected, model_server)
    assert outcome.text == "Hel"
    assert len(model_server.requests) == 1, "nothing is asked twice once text has come"


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param(b": keepalive\n\n", id="comment frame"),
        pytest.param(b": keepalive\n", id="comment line"),
        pytest.param(b"data: : keepalive\n\n", id="heartbeat as data"),
        pytest.param(b"data: ping\n\n", id="junk"),
        pytest.param(b"event: ping\n\n", id="event without data"),
        pytest.param(frame({"choices": []}), id="empty choices"),
        pytest.param(delta(None), id="null content"),
        pytest.param(delta(None, role="assistant"), id="role only"),
        pytest.param(delta(None, tool_calls=[{"index": 0}]), id="tool calls"),
        pytest.param(usage(), id="usage only"),
    ],
)
def test_what_an_answer_survives(model_server: ModelServer, noise: bytes) -> None:
    outcome = ask_once(model_server, stream(noise, delta("Hel"), noise, delta("lo"), finish(), noise, DONE))
    assert (outcome.text, outcome.failure) == ("Hello", None)


def test_crlf_frames(model_server: ModelServer) -> None:
    frames = (sent.replace(b"\n", b"\r\n") for sent in (delta("Hel"), delta("lo"), finish(), DONE))
    assert ask_once(model_server, stream(*frames)).text == "Hello"


def test_characters_cut_anywhere(model_server: ModelServer) -> None:
    answer = b"".join([delta(EMOJI), finish(), DONE])
    outcome = ask_once(model_server, stream(*(answer[place : place + 1] for place in range(len(answer)))))
    assert outcome.text == EMOJI


def test_two_hundred_frames_in_one_read(model_server: ModelServer) -> None:
    frames = b"".join(delta(f"{number} ") for number in range(200))
    outcome = ask_once(model_server, stream(frames, finish(), DONE))
    assert outcome.text == "".join(f"{number} " for number in range(200))


def test_a_delta_of_one_megabyte(model_server: ModelServer) -> None:
    outcome = ask_once(model_server, stream(delta("x" * 1_048_576), finish(), DONE), max_tokens=1_000_000)
    assert len(outcome.text) == 1_048_576


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_a_finish_reason_is_handed_on(model_server: ModelServer, reason: str) -> None:
    outcome = ask_once(model_server, stream(delta("Hel"), finish(reason), DONE))
    assert outcome == Outcome(["Hel"], Finish(FinishReason(reason)))


def test_an_answer_without_text_is_only_a_finish(model_server: ModelServer) -> None:
    assert ask_once(model_server, stream(delta(""), finish(), DONE)) == Outcome([], Finish())


def test_an_answer_that_was_not_streamed(model_server: ModelServer) -> None:
    outcome = ask_once(model_server, json_reply(200, completion("Hello")))
    assert outcome == Outcome(["Hello"], Finish(FinishReason.STOP, Usage(9, 12)))


def test_a_compressed_answer(model_server: ModelServer) -> None:
    body = gzip.compress(b"".join([delta("Hello"), finish(), DONE]))
    steps = reply(200, body, "text/event-stream", Content_Encoding="gzip")
    assert ask_once(model_server, steps).text == "Hello"
    assert model_server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param([close()], id="cut"),
        pytest.param([reset()], id="reset"),
        pytest.param([end()], id="end without [DONE]"),
        pytest.param([chunk(DONE), stall()], id="never ended"),
        pytest.param([chunk(DONE + delta("no")), end()], id="more after [DONE]"),
    ],
)
def test_nothing_spoils_an_answer_that_is_whole(model_server: ModelServer, tail: list[Step]) -> None:
    outcome = ask_once(model_server, [head(), chunk(delta("Hello")), chunk(finish()), wait(0.02), *tail])
    assert outcome == Outcome(["Hello"], Finish())


def test_a_silence_after_the_finish_reason_is_cut_short(model_server: ModelServer) -> None:
    outcome = ask_once(model_server, [head(), chunk(delta("Hello")), chunk(finish()), stall()], read_timeout_s=60)
    assert outcome == Outcome(["Hello"], Finish())


def test_a_refused_connection(model_server: ModelServer) -> None:
    provider = provider_at(model_server.base_url)
    model_server.stop()
    check_failure(ask(provider), UpstreamUnavailable, model_server)


def test_an_unknown_host() -> None:
    assert type(ask(provider_at("http://model.invalid/v1")).failure) is UpstreamUnavailable


def test_a_redirect_is_followed(model_server: ModelServer) -> None:
    model_server.script(MODEL, reply(307, b"", "text/plain", Location="/v1/elsewhere"))
    outcome = ask_once(model_server, stream(delta("Hello"), finish(), DONE))
    assert (outcome.text, model_server.requests[1].path) == ("Hello", "/v1/elsewhere")


def test_an_endless_error_page_is_not_read_to_its_end(model_server: ModelServer) -> None:
    steps = [head(400, {"Content-Type": "text/html", "Content-Length": "100000000"})]
    outcome = ask_once(model_server, [*steps, *(raw(b"x" * 65_536) for _ in range(1500))])
    check_failure(outcome, UpstreamRefused, model_server)
    assert len(outcome.failure.detail if outcome.failure else "") <= 500
