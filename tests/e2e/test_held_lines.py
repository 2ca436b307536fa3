"""A proxy that keeps an answer until it is whole: the visitor reads it as it is written all the same, and exactly."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from bubble import Bubble, words
from conftest import open_shop
from nginx_server import HOLDING, stock_nginx
from playwright.sync_api import Browser, BrowserContext, Page, expect
from stack import Stack, free_port

TOKENS = 100
LONG = f"answer: {TOKENS} tokens at 80 ms"


@pytest.fixture(scope="module")
def held(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A shop whose visitors reach the chat through an nginx that holds back all it can."""
    folder = tmp_path_factory.mktemp("held")
    line = Stack(folder, model_port=stack.model_port, wire_port=free_port())
    with line.backend(), line.shop(), stock_nginx(folder, line.backend_port, HOLDING, own_port=line.wire_port):
        yield line


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """One who has not met this line yet."""
    with browser.new_context(locale="en-GB") as context:
        yield context


def polls(page: Page) -> list[str]:
    """From now on, what this page asks for that ends."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "?wait=" in request.url else None)
    return asked


def ask(page: Page, question: str) -> Bubble:
    """Ask in an open chat."""
    chat = Bubble(page).open()
    chat.ask(question)
    return chat


def test_answers_that_are_held_back_are_read_as_they_are_written(visitor: BrowserContext, held: Stack) -> None:
    page = open_shop(visitor, held)
    chat = ask(page, LONG)
    # How soon is told by a clock that stands still, in tests/widget/detour.test.js.
    expect(chat.answers.last).to_contain_text("word5", timeout=7500)
    assert f"word{TOKENS}" not in chat.answer_text()
    expect(chat.answers.last).to_have_text(words(TOKENS), timeout=15_000)
    chat.wait_until_answered()
    assert [request["question"] for request in held.model_log()].count(LONG) == 1

    # From now on it is known: also on the next page.
    asked = polls(page)
    chat.ask("answer: 120 tokens at 60 ms")
    expect(chat.answers.last).to_contain_text("word1 ")
    assert asked[0].endswith("/chat?wait=0")
    page.reload()
    chat = Bubble(page).opens_itself()
    expect(chat.answers.last).to_have_text(words(120), timeout=15_000)
    # Only what is read on begins so.
    assert any(re.search(r"/chat/stream_\w+\?wait=0$", address) for address in asked)
    expect(chat.questions).to_have_count(2)


def test_stop_stops_before_the_line_is_known_and_after(visitor: BrowserContext, held: Stack) -> None:
    page = open_shop(visitor, held)
    chat = ask(page, "answer: 400 tokens at 50 ms")
    expect(chat.stop).to_be_visible()
    chat.stop.click()
    expect(chat.transcript).to_contain_text("Stopped")
    _await_closed(held, 1)
    chat.ask("answer: 401 tokens at 50 ms")
    expect(chat.answers.last).to_contain_text("word5")
    chat.stop.click()
    expect(chat.stop).to_be_hidden()
    _await_closed(held, 2)
    shown = chat.answer_text()
    page.reload()
    expect(Bubble(page).open().answers.last).to_contain_text(shown)


def test_a_line_that_holds_nothing_back_is_never_polled(page: Page) -> None:
    asked = polls(page)
    chat = ask(page, "answer: 40 tokens at 20 ms")
    expect(chat.answers.last).to_have_text(words(40))
    assert asked == []


def _await_closed(held: Stack, count: int) -> None:
    """Wait until the model's server has lost the connections of these many stopped answers."""
    deadline = time.monotonic() + 8
    questions = ("answer: 400 tokens at 50 ms", "answer: 401 tokens at 50 ms")
    while sum(bool(log["closedAt"]) for log in held.model_log() if log["question"] in questions) < count:
        assert time.monotonic() < deadline, "the model is still writing"
        time.sleep(0.05)
