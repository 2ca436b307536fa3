"""Where an answer comes from, and what may be asked next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bubble import Bubble
from conftest import open_shop
from playwright.sync_api import Browser, BrowserContext, Page, expect
from script import SOURCES, answer_with, reply_to, wait_for
from stack import Stack, fetch_json

MARKED = "We ship **everywhere** [1], and you may `return[2]` it within thirty days [2]. Not so [7]."


def test_suggestions_after_an_answer_are_asked_when_pressed(page: Page) -> None:
    asked = answer_with(page, "Yes.", suggestions={"suggestions": ["How long does it take?", "What does it cost?"]})
    chat = Bubble(page).open()
    chat.ask("Do you ship to Norway?")
    group = chat.host.get_by_role("group", name="Suggested questions")
    expect(group.get_by_role("button")).to_have_text(["How long does it take?", "What does it cost?"])
    group.get_by_role("button").first.focus()
    page.keyboard.press("Enter")
    expect(chat.input).to_be_focused()
    expect(chat.questions).to_have_text(["Do you ship to Norway?", "How long does it take?"])
    wait_for(page, asked, 2)
    assert asked[1]["message"] == "How long does it take?"


def test_suggestions_at_the_start_go_with_the_first_question(context: BrowserContext, stack: Stack) -> None:
    config = fetch_json(f"{stack.api}/config") | {"suggestions": ["Where is my parcel?"]}
    headers = {"Access-Control-Allow-Origin": "*"}
    context.route("**/api/ai/config", lambda route: route.fulfill(json=config, headers=headers))
    page = open_shop(context, stack)
    chat = Bubble(page).open()
    answer_with(page, "On its way.")
    suggestion = chat.host.get_by_role("button", name="Where is my parcel?")
    suggestion.click()
    expect(chat.questions).to_have_text(["Where is my parcel?"])
    expect(chat.answers.last).to_have_text("On its way.")
    expect(suggestion).to_have_count(0)


def test_marks_in_the_text_lead_to_the_sources_and_back(page: Page) -> None:
    answer_with(page, MARKED, sources={"sources": SOURCES})
    chat = Bubble(page).open()
    chat.ask("Do you ship to Norway?")
    marks = chat.answers.last.get_by_role("button", name=re.compile("^Source"))
    expect(marks).to_have_text(["1", "2"])
    expect(chat.answers.last).to_contain_text("return[2]")
    expect(chat.answers.last).to_contain_text("Not so [7].")
    marks.first.click()
    entry = chat.transcript.get_by_role("listitem").filter(has_text="Delivery")
    expect(entry).to_be_focused()
    link = entry.get_by_role("link", name="Delivery")
    expect(link).to_have_attribute("href", "https://shop.example/delivery")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    expect(entry).to_contain_text("shop.example")
    entry.get_by_role("button", name="Back to the text").click()
    expect(marks.first).to_be_focused()
    # An address that leads nowhere safe is no link.
    expect(chat.transcript.get_by_role("listitem").filter(has_text="Returns").get_by_role("link")).to_have_count(0)
    assert "#" not in page.url


def test_what_is_selected_across_the_marks_stays_selected(page: Page) -> None:
    # The typewriter is not at its end when the first paragraph is.
    answer_with(page, MARKED + "\n\nWe pack with care." * 40, sources={"sources": SOURCES})
    chat = Bubble(page).open()
    # A range lives through what becomes of its nodes exactly as a selection does.
    chat.transcript.evaluate(
        """(log) => new MutationObserver(() => {
            const text = log.querySelector('[part~=assistant-bubble] p');
            if (window.kept || !text?.textContent.includes('Not so [7].') || text.querySelector('button')) return;
            window.kept = document.createRange();
            window.kept.setStart(text.firstChild, 3);
            window.kept.setEnd(text.lastChild, text.lastChild.data.length - 4);
        }).observe(log, { subtree: true, childList: true, characterData: true })"""
    )
    chat.ask("Do you ship to Norway?")
    expect(chat.answers.last.get_by_role("button")).to_have_count(2)
    kept = page.evaluate("() => window.kept.toString()")
    assert kept.strip() == "ship everywhere 1, and you may return[2] it within thirty days 2. Not so"


@pytest.fixture
def look(browser: Browser, stack: Stack, artefacts: Path) -> Iterator[Any]:
    """Makes a picture of everything at once, as one kind of visitor sees it."""
    contexts = []

    def take(name: str, **options: Any) -> None:
        context = browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        config = fetch_json(f"{stack.api}/config") | {"suggestions": ["Where is my parcel?", "Do you ship to Norway?"]}
        headers = {"Access-Control-Allow-Origin": "*"}
        context.route("**/api/ai/config", lambda route: route.fulfill(json=config, headers=headers))
        page = open_shop(context, stack)
        chat = Bubble(page).open()
        expect(chat.host.get_by_role("button", name="Where is my parcel?")).to_be_visible()
        page.wait_for_timeout(300)
        page.screenshot(path=artefacts / f"{name}-suggestions.png")
        after = {"suggestions": ["How long does it take?", "What does it cost?"]}
        answer_with(page, MARKED, sources={"sources": SOURCES}, suggestions=after)
        reply_to(page, "feedback", 204)
        for text in ("Do you ship to Norway?", "And to Sweden?"):
            chat.ask(text)
            chat.wait_until_answered()
        expect(chat.host.get_by_role("button", name="How long does it take?")).to_be_visible()
        page.wait_for_timeout(300)
        page.screenshot(path=artefacts / f"{name}-actions.png")
        chat.host.get_by_role("button", name="Bad answer").last.click()
        chat.answers.last.get_by_role("button").first.click()
        page.wait_for_timeout(300)
        page.screenshot(path=artefacts / f"{name}-sources.png")
        chat.host.get_by_role("button", name="Edit question").click()
        page.wait_for_timeout(300)
        page.screenshot(path=artefacts / f"{name}-editing.png")
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"

    yield take
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("desktop", {}),
        ("dark", {"color_scheme": "dark"}),
        ("phone", {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}),
        ("forced", {"forced_colors": "active"}),
    ],
)
def test_it_looks_like_something(look: Any, name: str, options: dict[str, Any]) -> None:
    look(f"actions-{name}", **options)
