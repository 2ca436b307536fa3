"""The reader of completions, alone: every way a body is cut, and every oddity in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_steps import DONE, completion, delta, finish, frame, usage

from chatbubble.errors import (
    ChatbubbleError,
    ContentFiltered,
    UpstreamBusy,
    UpstreamRefused,
    UpstreamUnavailable,
)
from chatbubble.provider import Piece
from chatbubble.providers.completion import CompletionReader
from chatbubble.providers.failures import redact
from chatbubble.records import Finish, FinishReason, Usage

TEXT = "Grüße, 你好 \U0001f469\u200d\U0001f467!"
ANSWER = (delta("", role="assistant"), *(delta(char) for char in TEXT), finish(), usage(), DONE)
STOP = Finish(FinishReason.STOP)


def read(chunks: Iterable[bytes]) -> list[Piece]:
    reader = CompletionReader("sk-secret-key")
    pieces: list[Piece] = []
    for chunk in chunks:
        pieces += reader.feed(chunk)
        if reader.is_done:
            break
    return pieces + reader.end()


def said(chunks: Iterable[bytes]) -> tuple[str, Finish]:
    *texts, last = read(chunks)
    assert isinstance(last, Finish)
    return "".join(text for text in texts if isinstance(text, str)), last


def failure(chunks: Iterable[bytes]) -> ChatbubbleError:
    with pytest.raises(ChatbubbleError) as raised:
        read(chunks)
    return raised.value


def cuttings(whole: bytes) -> Iterator[list[bytes]]:
    yield [bytes([byte]) for byte in whole]
    for place in range(len(whole) + 1):
        yield [whole[:place], whole[place:]]


def test_an_answer_is_the_same_for_every_cut() -> None:
    for chunks in cuttings(b"".join(ANSWER)):
        assert said(chunks) == (TEXT, Finish(FinishReason.STOP, Usage(9, 12))), chunks


def test_an_answer_that_was_not_streamed_is_the_same_for_every_cut() -> None:
    for chunks in cuttings(json.dumps(completion(TEXT, "length"), ensure_ascii=False).encode()):
        assert said(chunks) == (TEXT, Finish(FinishReason.LENGTH, Usage(9, 12))), chunks


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1)), st.integers(1, 64))
def test_any_text_comes_through(texts: list[str], size: int) -> None:
    whole = b"".join([*(delta(text) for text in texts), finish(), DONE])
    assert said(whole[place : place + size] for place in range(0, len(whole), size)) == ("".join(texts), STOP)


def test_a_body_cut_before_the_finish_is_never_taken_for_whole() -> None:
    unfinished = b"".join(ANSWER[:-3])
    for place in range(len(unfinished) + 1):
        assert isinstance(failure([unfinished[:place]]), UpstreamUnavailable), place


def test_what_one_read_brings_is_one_piece() -> None:
    assert read([b"".join(delta("a") for _ in range(200)), finish()]) == ["a" * 200, STOP]


def test_crlf_frames() -> None:
    assert said([frame.replace(b"\n", b"\r\n") for frame in ANSWER])[0] == TEXT


@pytest.mark.parametrize(
    "noise",
    [
        b": a comment\n\n",
        b": OPENROUTER PROCESSING\n\n",
        b"data: : keepalive\n\n",
        b"data: ping\n\n",
        b"data:\n\n",
        b"data: 1\n\n",
        b"data: null\n\n",
        b'data: ["x"]\n\n',
        b"event: ping\n\n",
        b"nonsense\n\n",
        b"\xff\xfe\n\n",
        frame({}),
        frame({"type": "ping"}),
        frame({"choices": []}),
        frame({"choices": None}),
        frame({"choices": [None]}),
        frame({"choices": [{}]}),
        frame({"choices": [{"delta": None}]}),
        frame({"choices": [{"delta": {"content": ["x"]}}]}),
        frame({"choices": [{"delta": {}, "finish_reason": ""}]}),
        frame({"usage": {"prompt_tokens": None}}),
        frame({"usage": [], "error": None}),
        delta(None),
        delta("", role="assistant"),
        delta(None, tool_calls=[{"index": 0, "function": {"arguments": "{}"}}]),
        usage(),
    ],
)
def test_noise_between_two_deltas_changes_nothing(noise: bytes) -> None:
    assert said([delta("a"), noise, noise, delta("b"), finish(), usage(), DONE])[0] == "ab"


def test_raw_control_characters_inside_a_frame_are_read() -> None:
    assert said([b'data: {"choices":[{"delta":{"content":"a\tb"}}]}\n\n', DONE])[0] == "a\tb"


def test_a_bad_byte_becomes_the_replacement_character() -> None:
    assert said([b'data: {"choices":[{"delta":{"content":"a\xffb"}}]}\n\n', DONE])[0] == "a\ufffdb"


def test_a_refusal_is_text() -> None:
    assert said([delta(None, refusal="I cannot."), finish(), DONE])[0] == "I cannot."


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thinking_is_a_sign_of_life_without_text(name: str) -> None:
    assert read([delta(None, **{name: "Hmm"}), delta("Yes"), finish()]) == ["", "Yes", STOP]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", FinishReason.STOP),
        ("length", FinishReason.LENGTH),
        ("max_tokens", FinishReason.LENGTH),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("tool_calls", FinishReason.STOP),
        ("eos", FinishReason.STOP),
    ],
)
def test_finish_reasons(reason: str, expected: FinishReason) -> None:
    assert said([delta("a"), finish(reason), DONE]) == ("a", Finish(expected))


def test_a_finish_reason_without_done_is_an_end() -> None:
    assert said([delta("a"), finish()]) == ("a", STOP)


def test_done_without_a_finish_reason_is_an_end() -> None:
    assert said([delta("a"), DONE]) == ("a", STOP)


def test_a_last_frame_without_blank_line_counts() -> None:
    assert said([delta("a"), finish().rstrip(b"\n")]) == ("a", STOP)


def test_what_follows_done_is_not_read() -> None:
    assert said([delta("a") + DONE + delta("b") + frame({"error": "x"})]) == ("a", STOP)


def test_an_answer_without_text_is_a_finish_alone() -> None:
    assert read([delta(""), finish(), DONE]) == [STOP]


def test_the_last_usage_counts() -> None:
    assert said([delta("a"), usage(1, 1), finish(), usage(9, 2), DONE])[1].usage == Usage(9, 2)


@pytest.mark.parametrize("body", [[], [b""], [b"\n\n"], [b"data: ping\n\n", DONE], [b"plain words"]])
def test_a_body_that_holds_no_answer_is_a_failure(body: list[bytes]) -> None:
    assert isinstance(failure(body), UpstreamUnavailable)


def test_a_broken_object_between_deltas_is_a_failure_not_a_hole() -> None:
    assert "cannot be read" in failure([delta("a"), b'data: {"choices": [{"del\n\n', delta("b")]).detail


@pytest.mark.parametrize("page", [b"<!doctype html>", b"\n <html>", b"\xef\xbb\xbf<?xml"])
def test_a_web_page_is_recognised_by_its_first_character(page: bytes) -> None:
    for chunks in cuttings(page):
        assert "web page" in failure(chunks).detail


@pytest.mark.parametrize("body", [b'{"choices": ', b'{"choices": []', b"{}", b'{"object": "list"}'])
def test_an_object_that_is_no_completion_is_a_failure(body: bytes) -> None:
    assert isinstance(failure([body]), UpstreamUnavailable)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"message": "boom", "code": "server_error"}, UpstreamUnavailable),
        ({"message": "boom", "type": "overloaded_error"}, UpstreamBusy),
        ({"message": "boom", "code": 429}, UpstreamBusy),
        ({"message": "boom", "code": "rate_limit_exceeded"}, UpstreamBusy),
        ({"message": "boom", "code": "insufficient_quota"}, UpstreamRefused),
        ({"message": "boom", "code": "content_filter"}, ContentFiltered),
        ("boom", UpstreamUnavailable),
    ],
)
def test_an_error_object_is_mapped_by_its_code(error: object, expected: type[ChatbubbleError]) -> None:
    for body in (
        [frame({"error": error})],
        [json.dumps({"error": error}).encode()],
        [delta("a"), frame({"error": error})],
    ):
        raised = failure(body)
        assert type(raised) is expected
        assert "boom" in raised.detail
        assert raised.message == expected.message


@pytest.mark.parametrize(
    "sent",
    [b'event: error\ndata: {"message": "boom"}\n\n', frame({"object": "error", "message": "boom", "code": 40301})],
)
def test_other_shapes_of_error_frames(sent: bytes) -> None:
    assert "boom" in failure([delta("a"), sent]).detail


def test_the_finish_reason_error_is_a_failure() -> None:
    assert isinstance(failure([delta("a"), finish("error")]), UpstreamUnavailable)


def test_a_key_in_an_error_frame_is_blotted_out() -> None:
    detail = failure([frame({"error": {"message": "bad key sk-secret-key and Bearer abcdefghijkl"}})]).detail
    assert detail.endswith("bad key *** and ***")


def test_what_goes_to_the_log_is_one_short_line() -> None:
    assert redact("a\r\n b\x1b[1m\u2028c" + "d" * 1000, "") == "a b?[1m c" + "d" * 491


def test_a_frame_beyond_the_bound_is_a_failure() -> None:
    assert "bytes" in failure([b"data: "] + [b"x" * 1_000_000] * 9).detail


def test_an_object_beyond_the_bound_is_a_failure() -> None:
    assert "too large" in failure([b'{"x": "'] + [b"x" * 1_000_000] * 9).detail


def test_junk_is_counted_but_heartbeats_are_not() -> None:
    reader = CompletionReader()
    reader.feed(b"data: ping\n\ndata: 7\n\ndata: : keepalive\n\ndata:\n\n" + delta("a"))
    assert reader.junk == 2
