"""The main job, as a visitor does it: ask, read, stop, come back."""

from __future__ import annotations

import time

from bubble import Bubble, words
from conftest import open_shop
from playwright.sync_api import BrowserContext, Page, expect
from stack import Stack


def test_a_question_is_answered(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("say: The shop opens at **nine**.")
    expect(chat.questions.last).to_have_text("say: The shop opens at **nine**.")
    expect(chat.answers.last).to_have_text("The shop opens at nine.")
    expect(chat.answers.last.locator("strong")).to_have_text("nine")


def test_words_appear_while_the_answer_is_still_being_written(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("answer: 60 tokens at 40 ms")
    expect(chat.answers.last).to_contain_text("word3")
    assert "word60" not in chat.answer_text()
    expect(chat.stop).to_be_visible()
    expect(chat.answers.last).to_have_text(words(60))
    expect(chat.stop).to_be_hidden()


def test_stop_stops_and_keeps_what_was_said(page: Page, stack: Stack) -> None:
    chat = Bubble(page).open()
    chat.ask("answer: 400 tokens at 25 ms")
    expect(chat.answers.last).to_contain_text("word5")
    chat.stop.click()
    expect(chat.stop).to_be_hidden()
    expect(chat.transcript).to_contain_text("Stopped")
    shown = chat.answer_text()
    page.wait_for_timeout(500)
    assert chat.answer_text() == shown
    deadline = time.monotonic() + 5
    while stack.model_log()[-1]["closedAt"] is None:
        assert time.monotonic() < deadline, "the model is still writing"
    page.reload()
    chat = Bubble(page).open()
    expect(chat.answers.last).to_contain_text(shown)
    chat.ask("say: And on we go.")
    expect(chat.answers.last).to_have_text("And on we go.")


def test_stop_works_before_the_first_word(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("stall")
    chat.stop.click()
    expect(chat.stop).to_be_hidden()
    expect(chat.transcript).to_contain_text("Stopped")


def test_a_reload_in_mid_answer_loses_nothing(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("answer: 120 tokens at 25 ms")
    expect(chat.answers.last).to_contain_text("word10")
    page.reload()
    chat = Bubble(page).opens_itself()
    expect(chat.answers.last).to_contain_text("word12 ")
    expect(chat.answers.last).to_have_text(words(120), timeout=15_000)
    expect(chat.questions).to_have_count(1)


def test_another_page_of_the_site_goes_on_with_the_answer(page: Page, stack: Stack) -> None:
    chat = Bubble(page).open()
    chat.ask("answer: 120 tokens at 25 ms")
    expect(chat.answers.last).to_contain_text("word10")
    page.goto(stack.site + "/delivery", referer=page.url)
    chat = Bubble(page).opens_itself()
    expect(chat.answers.last).to_have_text(words(120), timeout=15_000)


def test_a_second_tab_reads_the_same_answer(context: BrowserContext, page: Page, stack: Stack) -> None:
    first = Bubble(page).open()
    first.ask("answer: 150 tokens at 25 ms")
    expect(first.answers.last).to_contain_text("word10")
    second = Bubble(open_shop(context, stack, "/about", by_link=True)).opens_itself()
    expect(second.answers.last).to_contain_text("word20")
    expect(second.answers.last).to_have_text(words(150), timeout=15_000)
    expect(first.answers.last).to_have_text(words(150), timeout=15_000)


def test_stop_in_the_second_tab_stops_the_first(context: BrowserContext, page: Page, stack: Stack) -> None:
    first = Bubble(page).open()
    first.ask("answer: 400 tokens at 25 ms")
    expect(first.answers.last).to_contain_text("word10")
    second = Bubble(open_shop(context, stack, by_link=True)).opens_itself()
    second.stop.click()
    expect(second.stop).to_be_hidden()
    expect(first.stop).to_be_hidden()
    expect(first.transcript).to_contain_text("Stopped")
    assert first.answer_text() == second.answer_text()


def test_a_question_asked_meanwhile_waits_its_turn(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("answer: 40 tokens at 25 ms")
    chat.ask("say: The second answer.")
    expect(chat.transcript).to_contain_text("Waiting for the answer above")
    expect(chat.answers.last).to_have_text("The second answer.", timeout=15_000)
    expect(chat.questions).to_have_count(2)
    expect(chat.transcript).to_contain_text(words(40))


def test_the_conversation_is_there_after_a_reload(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("say: One.")
    expect(chat.answers.last).to_have_text("One.")
    chat.ask("say: Two.")
    expect(chat.answers.last).to_have_text("Two.")
    page.reload()
    chat = Bubble(page).open()
    expect(chat.questions).to_have_text(["say: One.", "say: Two."])
    expect(chat.answers.last).to_have_text("Two.")


def test_visitors_do_not_see_each_other(page: Page, stack: Stack) -> None:
    chat = Bubble(page).open()
    chat.ask("say: A secret.")
    expect(chat.answers.last).to_have_text("A secret.")
    browser = page.context.browser
    assert browser is not None
    with browser.new_context(locale="en-GB") as other:
        stranger = Bubble(open_shop(other, stack)).open()
        expect(stranger.transcript).to_contain_text("Hello!")
        expect(stranger.questions).to_have_count(0)
