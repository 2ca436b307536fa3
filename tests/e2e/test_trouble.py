"""What a visitor sees when the model, the server or the network fails."""

from __future__ import annotations

import pytest
from bubble import Bubble
from playwright.sync_api import BrowserContext, Page, expect
from stack import Stack


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("fail: 401", "cannot answer"),
        ("fail: 500", "cannot answer"),
        ("fail: 429", "very busy"),
        ("html", "cannot answer"),
        ("empty", "had no answer"),
        ("answer: 3 tokens at 5 ms then cut", "cannot answer"),
        ("answer: 3 tokens at 5 ms then error", "cannot answer"),
    ],
)
def test_a_failing_model_is_told_in_our_words(page: Page, question: str, shown: str) -> None:
    chat = Bubble(page).open()
    chat.ask(question)
    expect(chat.transcript).to_contain_text(shown, timeout=15_000)
    expect(chat.stop).to_be_hidden()
    assert "provider words" not in chat.transcript.inner_text()


def test_try_again_asks_again(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("fail: 400 x1")
    expect(chat.retry).to_be_hidden()
    chat.ask("fail: 503 x3")
    chat.retry.click(timeout=15_000)
    expect(chat.answers.last).to_have_text("Here again.")
    expect(chat.questions).to_have_count(2)


def test_a_long_answer_that_was_cut_short_says_so(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("answer: 5 tokens at 5 ms then length")
    expect(chat.transcript).to_contain_text("cut at its length limit")


def test_a_server_that_is_away_is_waited_for(context: BrowserContext, page: Page) -> None:
    context.expected_errors += ["Failed to load resource", "ERR_"]  # type: ignore[attr-defined]
    chat = Bubble(page).open()
    chat.ask("say: Before.")
    expect(chat.answers.last).to_have_text("Before.")
    context.set_offline(True)
    chat.ask("say: Across the gap.")
    expect(chat.panel).to_contain_text("You are offline")
    context.set_offline(False)
    expect(chat.answers.last).to_have_text("Across the gap.", timeout=15_000)
    expect(chat.panel).not_to_contain_text("You are offline")


def test_a_question_is_asked_once_however_often_the_line_breaks(
    context: BrowserContext, page: Page, stack: Stack
) -> None:
    context.expected_errors += ["Failed to load resource", "ERR_"]  # type: ignore[attr-defined]
    chat = Bubble(page).open()
    chat.ask("answer: 77 tokens at 20 ms")
    expect(chat.answers.last).to_contain_text("word5")
    for _ in range(3):
        context.set_offline(True)
        page.wait_for_timeout(100)
        context.set_offline(False)
        page.wait_for_timeout(100)
    expect(chat.answers.last).to_contain_text("word77", timeout=15_000)
    asked = [request for request in stack.model_log() if request["question"] == "answer: 77 tokens at 20 ms"]
    assert len(asked) == 1
