"""The headers of a request: what is one, what is none, and what the app sees of them."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbubble.request_headers import RequestHeaders


def read(text: bytes) -> RequestHeaders:
    """The headers of `text`, all of which should be read."""
    file = BytesIO(text + b"\r\nbody")
    headers = RequestHeaders.read(file)
    assert file.read() == b"body"
    return headers


def test_names_are_alike_in_any_case_and_values_lose_outer_blanks() -> None:
    headers = read(b"hOsT: \t shop.example \t\r\nX-Empty:\r\nx: a: b\r\nX: \xe9\tb\n")
    assert [headers.get(name) for name in ("Host", "host", "x-empty")] == ["shop.example", "shop.example", ""]
    assert headers.get("X") == "a: b"
    assert headers.get_all("x") == ["a: b", "\xe9\tb"]
    assert headers.get("none") is None
    assert headers.get("none", "") == ""
    assert headers.get_all("none") == []


def test_the_app_sees_them_by_their_wsgi_names() -> None:
    headers = read(
        b"Host: h\r\nX-Two-Words: 1\r\nX_Two_Words: 2\r\nContent-Type: a/b\r\nContent-Length: 3\r\nhost: i\r\n"
    )
    assert list(headers.environ()) == [("HTTP_HOST", "h"), ("HTTP_X_TWO_WORDS", "1"), ("HTTP_HOST", "i")]
    assert (headers.typeheader, headers.getheader("Content-Length")) == ("a/b", "3")


def test_one_that_is_deleted_is_gone() -> None:
    headers = read(b"Content-Length: 3\r\nX: y\r\n")
    del headers["Content-Length"]
    assert (headers.get("content-length"), headers.get("x")) == (None, "y")


def test_no_headers_are_some_too() -> None:
    assert list(read(b"").environ()) == []


@pytest.mark.parametrize(
    "line",
    [
        b"no colon", b": no name", b"Blank : x", b" Blank: x", b"Two words: x", b"X: y\r\n folded", b"X: y\r\n\tfolded",
        b"X: a\0b", b"X\0: y", b"X: a\rb", b"X: y\r", b"X: a\x0bb", b"X: a\x7fb", b"X\xe9: y", b"X(y): z",
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", [b"", b"Host: h\r\n"])
def test_what_is_no_header_is_refused(before: bytes, line: bytes) -> None:
    with pytest.raises(ValueError, match="not a header"):
        read(before + line + b"\r\nContent-Length: 5\r\n")


@pytest.mark.parametrize("text", [b"", b"Host: h\r\n"])
def test_headers_that_never_end_are_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="too early"):
        RequestHeaders.read(BytesIO(text))


def test_one_that_is_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="not a header"):
        RequestHeaders.read(BytesIO(b"Host: h"))


def test_there_may_be_a_hundred_of_64_kilobytes() -> None:
    assert len(list(read(b"A: b\r\n" * 100).environ())) == 100
    assert read(b"A: " + b"b" * 65_531 + b"\r\n").get("A") == "b" * 65_531
    for text in (b"A: b\r\n" * 101, b"A: " + b"b" * 65_532 + b"\r\n"):
        with pytest.raises(ValueError, match="one too many"):
            read(text)


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_to_the_letter_or_refused(text: bytes) -> None:
    try:
        headers = RequestHeaders.read(BytesIO(text))
    except ValueError:
        return
    for name, value in headers.environ():
        assert name == name.upper()
        assert not {*"\r\n\0"} & {*value}
