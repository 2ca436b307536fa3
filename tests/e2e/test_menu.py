"""The menu in the header, and the launcher while the panel is closed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from bubble import Bubble
from conftest import open_shop
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from script import SOURCES, answer_with
from stack import Stack

KEPT = "() => Object.keys(localStorage).filter((key) => key.startsWith('chatbubble:'))"


def menu_button(chat: Bubble) -> Locator:
    """The button in the header."""
    return chat.host.get_by_role("button", name="Menu")


def choose(chat: Bubble, name: str) -> None:
    """Open the menu and press an item."""
    menu_button(chat).click()
    chat.host.get_by_role("menuitem", name=name).click()


def session_of(page: Page) -> str:
    """The visitor's session id, as this browser has it."""
    value: str = page.evaluate(
        "() => localStorage.getItem(Object.keys(localStorage).find((key) => key.startsWith('chatbubble:session:')))"
    )
    return value


def test_the_menu_by_keyboard(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("say: Hi.")
    chat.wait_until_answered()
    button = menu_button(chat)
    button.focus()
    page.keyboard.press("Enter")
    items = chat.host.get_by_role("menu").locator("[role^=menuitem]")
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(items.nth(0)).to_be_focused()
    for key, place in (("ArrowDown", 1), ("ArrowUp", 0), ("ArrowUp", 4), ("ArrowDown", 0), ("End", 4), ("Home", 0)):
        page.keyboard.press(key)
        expect(items.nth(place)).to_be_focused()
    page.keyboard.press("s")
    expect(chat.host.get_by_role("menuitemcheckbox", name="Sound")).to_be_focused()
    page.keyboard.press("Escape")
    expect(items.first).to_be_hidden()
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(chat.panel).to_be_visible()


def test_the_menu_goes_when_the_visitor_turns_away(page: Page) -> None:
    chat = Bubble(page).open()
    menu = chat.host.get_by_role("menu")
    menu_button(chat).click()
    expect(menu).to_be_visible()
    page.mouse.click(200, 400)
    expect(menu).to_be_hidden()
    menu_button(chat).click()
    page.keyboard.press("Tab")
    expect(menu).to_be_hidden()


def test_a_new_conversation_leaves_the_old_one_behind(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("say: Old.")
    expect(chat.answers.last).to_have_text("Old.")
    chat.wait_until_answered()
    old = session_of(page)
    choose(chat, "New conversation")
    expect(chat.questions).to_have_count(0)
    expect(chat.input).to_be_focused()
    assert page.evaluate("() => Object.keys(localStorage).some((key) => key.includes(':session:'))") is False
    chat.ask("say: New.")
    expect(chat.answers.last).to_have_text("New.")
    chat.wait_until_answered()
    assert session_of(page) != old
    page.reload()
    chat.open()
    expect(chat.questions).to_have_text(["say: New."])


def test_a_new_conversation_stops_the_running_answer(page: Page, stack: Stack) -> None:
    chat = Bubble(page).open()
    chat.ask("answer: 400 tokens at 25 ms")
    expect(chat.answers.last).to_contain_text("word3")
    with page.expect_response("**/abort") as told:
        choose(chat, "New conversation")
    assert told.value.ok
    expect(chat.stop).to_be_hidden()
    expect(chat.questions).to_have_count(0)


def test_the_conversation_is_downloaded(page: Page) -> None:
    answer_with(page, "We ship **everywhere** [1].", sources={"sources": SOURCES})
    chat = Bubble(page).open()
    chat.ask("Do you ship to Norway?")
    chat.wait_until_answered()
    with page.expect_download() as text:
        choose(chat, "Download as text")
    assert text.value.suggested_filename.endswith(".txt")
    written = Path(text.value.path()).read_text("utf-8")
    assert "Do you ship to Norway?" in written
    assert "We ship **everywhere** [1]." in written
    assert "[1] Delivery https://shop.example/delivery" in written
    with page.expect_download() as data:
        choose(chat, "Download as JSON")
    told = json.loads(Path(data.value.path()).read_text("utf-8"))
    assert [(message["author"], message["content"]) for message in told["messages"]] == [
        ("visitor", "Do you ship to Norway?"),
        ("assistant", "We ship **everywhere** [1]."),
    ]
    assert told["messages"][1]["sources"] == SOURCES


def test_of_nothing_there_is_nothing_to_download(page: Page) -> None:
    chat = Bubble(page).open()
    menu_button(chat).click()
    for name in ("New conversation", "Download as text", "Download as JSON"):
        expect(chat.host.get_by_role("menuitem", name=name)).to_have_attribute("aria-disabled", "true")


def test_everything_is_deleted_after_one_question(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("say: Secret.")
    chat.wait_until_answered()
    choose(chat, "Delete my data")
    question = chat.host.get_by_role("alertdialog")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(chat.panel).to_be_visible()
    expect(chat.questions).to_have_count(1)
    choose(chat, "Delete my data")
    with page.expect_response(lambda reply: reply.request.method == "DELETE") as told:
        question.get_by_role("button", name="Delete").click()
    assert told.value.status == 204
    expect(question).to_be_hidden()
    expect(chat.questions).to_have_count(0)
    expect(chat.input).to_be_focused()
    assert page.evaluate(KEPT) == []


def test_what_was_not_deleted_is_told_and_can_be_tried_again(page: Page) -> None:
    page.context.expected_errors.append("503")  # type: ignore[attr-defined]
    chat = Bubble(page).open()
    chat.ask("say: Secret.")
    chat.wait_until_answered()
    failing = {"status": 503, "headers": {"Access-Control-Allow-Origin": "*"}}
    page.route("**/api/ai/conversation", lambda route: route.fulfill(**failing), times=1)
    choose(chat, "Delete my data")
    question = chat.host.get_by_role("alertdialog")
    question.get_by_role("button", name="Delete").click()
    expect(question.get_by_text("Your data was not deleted. Please try again.")).to_be_visible()
    expect(chat.questions).to_have_count(1)
    assert page.evaluate(KEPT) != []
    question.get_by_role("button", name="Delete").click()
    expect(question).to_be_hidden()
    expect(chat.questions).to_have_count(0)
    assert page.evaluate(KEPT) == []


def test_the_launcher_counts_what_came_while_it_was_closed(page: Page) -> None:
    title = page.title()
    chat = Bubble(page).open()
    chat.ask("answer: 20 tokens at 30 ms")
    page.keyboard.press("Escape")
    expect(chat.panel).to_be_hidden()
    expect(chat.launcher).to_have_accessible_name("Chat with us, unread messages: 1")
    expect(chat.launcher).to_have_text("1")
    assert page.title() == title
    chat.open()
    expect(chat.launcher).to_have_accessible_name("Chat with us")
    expect(chat.launcher).to_have_text("")
    chat.wait_until_answered()
    page.keyboard.press("Escape")
    expect(chat.launcher).to_have_accessible_name("Chat with us")


_LISTEN = """() => {
    window.notes = 0;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...when) { window.notes += 1; return start.apply(this, when); };
}"""


def test_the_sound_is_off_until_the_visitor_wants_it(page: Page) -> None:
    page.evaluate(_LISTEN)
    chat = Bubble(page).open()

    def answer_while_closed(count: int) -> None:
        chat.ask("answer: 10 tokens at 30 ms")
        page.keyboard.press("Escape")
        expect(chat.launcher).to_have_text("1")
        chat.open()
        chat.wait_until_answered()
        assert page.evaluate("() => window.notes") == count

    answer_while_closed(0)
    assert not any("sound" in key for key in page.evaluate(KEPT))
    menu_button(chat).click()
    sound = chat.host.get_by_role("menuitemcheckbox", name="Sound")
    expect(sound).to_have_attribute("aria-checked", "false")
    sound.click()
    heard = page.evaluate("() => window.notes")
    assert heard == 2  # a taste of it
    answer_while_closed(heard + 2)
    page.reload()
    chat.open()
    menu_button(chat).click()
    expect(sound).to_have_attribute("aria-checked", "true")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("desktop", {}),
        ("dark", {"color_scheme": "dark"}),
        ("phone", {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}),
        ("forced", {"forced_colors": "active"}),
    ],
)
def test_it_looks_like_something(
    browser: Browser, stack: Stack, artefacts: Path, name: str, options: dict[str, Any]
) -> None:
    context: BrowserContext = browser.new_context(
        **{"locale": "en-GB", "viewport": {"width": 1280, "height": 800}, **options}
    )
    page = open_shop(context, stack)
    chat = Bubble(page).open()
    chat.ask("answer: 20 tokens at 20 ms")
    chat.host.get_by_role("button", name="Close chat").click()
    expect(chat.launcher).to_have_text("1")
    page.wait_for_timeout(300)
    page.screenshot(path=artefacts / f"menu-{name}-unread.png")
    chat.open()
    menu_button(chat).click()
    page.wait_for_timeout(200)
    page.screenshot(path=artefacts / f"menu-{name}-open.png")
    chat.host.get_by_role("menuitem", name="Delete my data").click()
    page.wait_for_timeout(200)
    page.screenshot(path=artefacts / f"menu-{name}-delete.png")
    context.close()
