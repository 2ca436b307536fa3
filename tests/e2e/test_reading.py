"""Reading: the view follows only a reader who is at the end, and leaves a selection alone."""

from __future__ import annotations

import pytest
from bubble import Bubble
from playwright.sync_api import Page, expect

# Where the transcript is scrolled to, frame by frame, from now on.
_RECORD = """(log) => {
    window.places = [];
    const look = () => { window.places.push(log.scrollTop); requestAnimationFrame(look); };
    look();
}"""
_PLACES = "() => window.places.splice(0)"
_IS_AT_END = """(log) => {
    const end = log.lastElementChild.lastElementChild.getBoundingClientRect().bottom;
    return end - log.getBoundingClientRect().bottom < 5;
}"""


def below_the_top(chat: Bubble, question: int = -1) -> float:
    """How far below the top of the view a question stands, in CSS pixels."""
    top: float = chat.questions.nth(question).evaluate(
        "(bubble) => bubble.getBoundingClientRect().top - bubble.closest('[role=log]').getBoundingClientRect().top"
    )
    return top


def settled_place(page: Page) -> float:
    """Where the transcript stands once the browser has finished its own smooth scrolling."""
    place: float = page.evaluate(
        """async () => {
            const log = document.querySelector('chat-bubble').shadowRoot.querySelector('[role=log]');
            for (let still = 0, last = -1; still < 10; ) {
                await new Promise(requestAnimationFrame);
                still = log.scrollTop === last ? still + 1 : 0;
                last = log.scrollTop;
            }
            window.places.length = 0;
            return log.scrollTop;
        }"""
    )
    return place


def test_a_new_question_goes_to_the_top_and_its_answer_is_read_from_the_beginning(page: Page) -> None:
    chat = Bubble(page).open()
    for question in ("answer: 300 tokens at 1 ms", "say: Short."):
        chat.ask(question)
        chat.wait_until_answered()
    chat.transcript.evaluate(_RECORD)
    chat.ask("answer: 300 tokens at 5 ms")
    expect(chat.answers.last).to_contain_text("word10")
    place = settled_place(page)
    assert 0 <= below_the_top(chat) < 30
    expect(chat.answers.last).to_contain_text("word300", timeout=15_000)
    assert set(page.evaluate(_PLACES)) == {place}
    expect(chat.host.get_by_role("button", name="New text below")).to_be_visible()


def test_a_short_answer_leaves_its_question_at_the_top(page: Page) -> None:
    chat = Bubble(page).open()
    for question, end in (("answer: 300 tokens at 1 ms", "word300"), ("say: Short.", "Short."), ("say: Ha.", "Ha.")):
        chat.ask(question)
        expect(chat.answers.last).to_contain_text(end)
        chat.wait_until_answered()
    expect(chat.host.get_by_role("button", name="New text below")).to_be_hidden()
    assert 0 <= below_the_top(chat) < 30


def test_who_goes_to_the_end_is_taken_along(page: Page) -> None:
    chat = Bubble(page).open()
    chat.transcript.evaluate(_RECORD)
    chat.ask("answer: 400 tokens at 10 ms")
    more = chat.host.get_by_role("button", name="New text below")
    more.click()
    expect(more).to_be_hidden()
    page.evaluate(_PLACES)
    expect(chat.answers.last).to_contain_text("word400", timeout=15_000)
    chat.wait_until_answered()
    places = page.evaluate(_PLACES)
    assert places == sorted(places)
    assert places[-1] > places[0]
    assert chat.transcript.evaluate(_IS_AT_END)


@pytest.mark.parametrize("gesture", ["wheel", "key", "selection"])
def test_the_first_sign_of_wanting_to_read_elsewhere_lets_go(page: Page, gesture: str) -> None:
    chat = Bubble(page).open()
    chat.transcript.evaluate(_RECORD)
    chat.ask("answer: 800 tokens at 12 ms")
    chat.host.get_by_role("button", name="New text below").click()
    expect(chat.answers.last).to_contain_text("word150")
    chat.transcript.hover()
    if gesture == "wheel":
        page.mouse.wheel(0, -40)
    elif gesture == "key":
        chat.transcript.press("PageUp")
    else:
        page.mouse.down()
        box = chat.transcript.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2 + 60, box["y"] + box["height"] / 2 + 40, steps=4)
    place = settled_place(page)
    known = len(chat.answer_text())
    expect(chat.answers.last).to_contain_text("word800", timeout=25_000)
    assert len(chat.answer_text()) > known
    assert set(page.evaluate(_PLACES)) == {place}
    page.mouse.up()


def test_a_question_that_waits_does_not_take_the_reader_away_from_the_running_answer(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("answer: 200 tokens at 10 ms")
    expect(chat.answers.last).to_contain_text("word5")
    chat.ask("say: Second.")
    expect(chat.questions).to_have_count(2)
    assert chat.transcript.evaluate(_IS_AT_END)
    expect(chat.answers.last).to_have_text("Second.", timeout=15_000)


def test_a_selection_survives_the_words_that_follow(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("answer: 120 tokens at 20 ms")
    expect(chat.answers.last).to_contain_text("word8")
    chat.answers.last.evaluate(
        """(bubble) => {
            const text = document.createTreeWalker(bubble, NodeFilter.SHOW_TEXT).nextNode();
            getSelection().setBaseAndExtent(text, 0, text, 5);
        }"""
    )
    expect(chat.answers.last).to_contain_text("word120", timeout=15_000)
    assert page.evaluate("() => getSelection().toString()") == "word1"


def test_code_can_be_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat = Bubble(page).open()
    chat.ask("say: ```js\nlet one = 1;\n```")
    chat.wait_until_answered()
    expect(chat.answers.last).to_contain_text("let one = 1;")
    chat.answers.last.get_by_role("button", name="Copy").click()
    expect(chat.answers.last.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("() => navigator.clipboard.readText()").strip() == "let one = 1;"


def test_a_screen_reader_hears_the_answer_once(page: Page) -> None:
    chat = Bubble(page).open()
    page.evaluate(
        """() => {
            window.heard = [];
            const root = document.querySelector('chat-bubble').shadowRoot;
            new MutationObserver((changes) => {
                for (const { target } of changes) {
                    const element = target.closest ? target : target.parentElement;
                    const region = element?.closest('[aria-live=polite], [role=status]');
                    if (region?.textContent) window.heard.push(region.textContent);
                }
            }).observe(root, { subtree: true, childList: true, characterData: true });
        }"""
    )
    chat.ask("answer: 40 tokens at 20 ms")
    expect(chat.answers.last).to_contain_text("word40", timeout=15_000)
    page.wait_for_function("() => window.heard.some((text) => text.includes('word40'))")
    heard = page.evaluate("() => window.heard")
    assert [text for text in heard if "word" in text and "word40" not in text] == []
    assert len([text for text in heard if "word40" in text]) == 1
