"""A visitor's line that is cut at chosen bytes: nothing is lost, nothing shown twice, nothing asked twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bubble import Bubble, words
from conftest import open_shop
from playwright.sync_api import Browser, Page, expect
from stack import HOST, Stack, free_port, running

TOKENS = 60


@contextmanager
def cut_line(browser: Browser, stack: Stack, folder: Path, *cuts: str) -> Iterator[tuple[Page, Stack]]:
    """The shop for a visitor whose connections to `/chat` are cut: `812` with FIN, `812:rst` with RST."""
    line = Stack(folder, model_port=stack.model_port, wire_port=free_port())
    where = ("--target", str(line.backend_port), "--port", str(line.wire_port), "--match", " /api/ai/chat")
    each = [word for cut in cuts for word in ("--script", cut)]
    proxy = running("tests/faults/wire_proxy.py", *where, *each, ready=f"{line.widget_origin}/api/ai/healthz")
    with line.backend(), line.shop(), proxy, browser.new_context(locale="en-GB") as context:
        yield open_shop(context, line), line


@pytest.mark.parametrize(
    "cuts",
    [
        ("0",),
        ("0:rst", "0:rst"),
        ("700", "320:rst"),
        ("1500:rst", "900", "333", "2000:rst"),
        ("901", "902", "903", "904", "905:rst"),
    ],
    ids=" ".join,
)
def test_a_cut_answer_arrives_whole(browser: Browser, stack: Stack, tmp_path: Path, cuts: tuple[str, ...]) -> None:
    question = f"answer: {TOKENS} tokens at 15 ms"
    asked_before = [request["question"] for request in stack.model_log()].count(question)
    with cut_line(browser, stack, tmp_path, *cuts) as (page, _):
        chat = Bubble(page).open()
        chat.ask(question)
        expect(chat.answers.last).to_have_text(words(TOKENS), timeout=30_000)
        chat.wait_until_answered()
        expect(chat.questions).to_have_count(1)
    assert [request["question"] for request in stack.model_log()].count(question) == asked_before + 1


def test_a_cut_line_says_that_it_reconnects(browser: Browser, stack: Stack, tmp_path: Path) -> None:
    with cut_line(browser, stack, tmp_path, "900", *["0"] * 3) as (page, line):
        chat = Bubble(page).open()
        chat.ask(f"answer: {TOKENS} tokens at 15 ms")
        expect(chat.panel).to_contain_text("Reconnecting")
        assert chat.answer_text() != words(TOKENS)
        expect(chat.answers.last).to_have_text(words(TOKENS), timeout=30_000)
        expect(chat.panel).not_to_contain_text("Reconnecting")
        assert line.widget_origin.startswith(f"http://{HOST}:")
