"""The demo site's playground: the bubble follows the form, and the tag that it gives makes the same one."""

from __future__ import annotations

from pathlib import Path

import pytest
from bubble import Bubble
from own_site import OwnSite
from playwright.sync_api import BrowserContext, Page, expect
from stack import Stack


@pytest.fixture
def playground(context: BrowserContext, stack: Stack) -> Page:
    """The playground, its bubble there."""
    page = context.new_page()
    page.goto(stack.site + "/")
    page.get_by_role("link", name="playground").click()
    expect(Bubble(page).launcher).to_be_visible()
    return page


def test_the_bubble_follows_the_form_and_so_does_the_tag(playground: Page) -> None:
    chat = Bubble(playground).open()
    chat.input.fill("Half a question")
    playground.get_by_label("Title").fill('Nell & "Ned"')
    playground.get_by_label("Accent").fill("#123456")
    playground.get_by_label("Corner").select_option("bottom left")
    expect(chat.host.get_by_role("heading", name='Nell & "Ned"')).to_be_visible()
    expect(chat.launcher).to_have_css("background-color", "rgb(18, 52, 86)")
    expect(chat.host).to_have_attribute("data-at", "bottom-left")
    expect(chat.input).to_have_value("Half a question")
    tag = playground.locator(".tag")
    for attribute in (
        'data-title="Nell &amp; &quot;Ned&quot;"',
        'data-accent="#123456"',
        'data-position="bottom-left"',
    ):
        expect(tag).to_contain_text(attribute)


def test_another_language_takes_a_new_bubble_with_the_same_conversation(playground: Page) -> None:
    chat = Bubble(playground).open()
    chat.ask("say: Still here.")
    expect(chat.answers.last).to_have_text("Still here.")
    chat.wait_until_answered()
    playground.get_by_label("Language").select_option("简体中文")
    expect(chat.host.get_by_role("textbox", name="您的消息")).to_be_visible()
    expect(chat.transcript).to_contain_text("Still here.")
    expect(chat.host).to_have_count(1)
    expect(playground.locator(".heard")).to_contain_text("answer")
    playground.get_by_role("button", name="Start over").click()
    expect(chat.input).to_be_visible()
    expect(playground.locator(".tag")).not_to_contain_text("data-locale")


def test_the_tag_that_is_copied_makes_the_same_bubble(
    playground: Page, context: BrowserContext, own_site: OwnSite, artefacts: Path
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    playground.get_by_label("Title").fill("Nell")
    playground.get_by_label("Theme").select_option("dark")
    playground.get_by_role("button", name="Copy the tag").click()
    expect(playground.locator(".result").get_by_role("status")).to_have_text("Copied.")
    playground.get_by_role("button", name="Open or close").click()
    expect(Bubble(playground).input).to_be_visible()
    playground.screenshot(path=artefacts / "playground.png", full_page=True)
    tag = playground.evaluate("() => navigator.clipboard.readText()")
    page = context.new_page()
    page.goto(own_site.page(tag))
    chat = Bubble(page).open()
    expect(chat.host.get_by_role("heading", name="Nell")).to_be_visible()
    expect(chat.transcript).to_contain_text("what to pack for a wet day")
