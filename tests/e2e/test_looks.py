"""The chat on small screens, in the dark and in Chinese; each picture is kept in `artefacts/`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from bubble import Bubble
from conftest import open_shop
from playwright.sync_api import Browser, Page, expect
from stack import Stack

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
RICH = (
    "say at 1 ms: Of course! Here is how **delivery** works:\n\n"
    "| Where | Days | Price |\n|---|---|---|\n| United Kingdom | 2 | £3.90 |\n| Europe | 4 to 6 | £9.50 |\n\n"
    "1. Choose your things.\n2. Pay by card.\n3. We send you a [tracking link](https://shop.example/track).\n\n"
    "> Orders before noon leave the same day.\n\n"
    '```html\n<script async src="/api/ai/widget.js"></script>\n```\n\nAnything else? 🙂'
)


@contextmanager
def visitor(browser: Browser, stack: Stack, path: str = "/", **options: Any) -> Iterator[Page]:
    """A page of the shop as one kind of visitor sees it."""
    context = browser.new_context(**{"locale": "en-GB", "viewport": DESKTOP, **options})
    try:
        yield open_shop(context, stack, path)
    finally:
        context.close()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("desktop", {}),
        ("desktop-dark", {"color_scheme": "dark"}),
        ("phone", {"viewport": PHONE, "has_touch": True, "is_mobile": True}),
        ("phone-dark", {"viewport": PHONE, "has_touch": True, "is_mobile": True, "color_scheme": "dark"}),
        ("forced-colours", {"forced_colors": "active"}),
        ("still", {"reduced_motion": "reduce"}),
    ],
)
def test_an_answer_with_everything_in_it(
    browser: Browser, stack: Stack, artefacts: Path, name: str, options: dict[str, Any]
) -> None:
    with visitor(browser, stack, **options) as page:
        page.screenshot(path=artefacts / f"{name}-closed.png")
        chat = Bubble(page).open()
        page.wait_for_timeout(400)
        page.screenshot(path=artefacts / f"{name}-greeting.png")
        chat.ask(RICH)
        expect(chat.answers.last).to_contain_text("Anything else? 🙂", timeout=15_000)
        chat.wait_until_answered()
        page.wait_for_timeout(300)
        page.screenshot(path=artefacts / f"{name}-answer.png")
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"


def test_on_a_phone_the_panel_fills_the_screen(browser: Browser, stack: Stack) -> None:
    with visitor(browser, stack, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        chat = Bubble(page)
        chat.launcher.tap()
        expect(chat.input).to_be_visible()
        page.wait_for_timeout(400)
        box = chat.panel.bounding_box()
        assert box is not None
        assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, PHONE["width"], PHONE["height"])
        assert float(chat.input.evaluate("(input) => getComputedStyle(input).fontSize").removesuffix("px")) >= 16
        chat.host.get_by_role("button", name="Close chat").tap()
        expect(chat.panel).to_be_hidden()


def test_it_speaks_chinese_on_a_chinese_page(browser: Browser, stack: Stack, artefacts: Path) -> None:
    with visitor(browser, stack, "/zh", locale="en-GB") as page:
        host = page.locator("chat-bubble")
        host.get_by_role("button").first.click()
        expect(host.get_by_role("textbox")).to_be_visible()
        host.get_by_role("textbox").fill("say: **“营业时间”**：上午九点到下午六点。")
        page.keyboard.press("Enter")
        expect(host.locator("[part~=assistant-bubble]").last).to_have_text("“营业时间”：上午九点到下午六点。")
        expect(host.locator("[part~=assistant-bubble] strong")).to_have_text("“营业时间”")
        page.screenshot(path=artefacts / "chinese.png")


def test_an_answer_on_its_way_and_a_failed_one(browser: Browser, stack: Stack, artefacts: Path) -> None:
    with visitor(browser, stack) as page:
        chat = Bubble(page).open()
        chat.ask("fail: 503 x9")
        expect(chat.retry).to_be_visible(timeout=15_000)
        chat.ask("stall")
        page.wait_for_timeout(400)
        page.screenshot(path=artefacts / "failed-and-waiting.png")
        chat.stop.click()
        chat.ask("answer: 30 tokens at 60 ms")
        expect(chat.answers.last).to_contain_text("word9")
        page.screenshot(path=artefacts / "streaming.png")
