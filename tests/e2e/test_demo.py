"""What `make run` shows: the shop with the demo's own answers. The README's picture is taken here."""

from __future__ import annotations

from pathlib import Path

import pytest
from bubble import Bubble
from conftest import open_shop
from playwright.sync_api import Browser, expect
from stack import Stack


def test_the_demo_answers_and_sits_for_its_portrait(
    browser: Browser, artefacts: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stack = Stack(tmp_path_factory.mktemp("demo"))
    with stack.backend(PROVIDER="demo"), stack.shop(), browser.new_context(locale="en-GB") as context:
        page = open_shop(context, stack)
        page.set_viewport_size({"width": 1200, "height": 720})
        chat = Bubble(page).open()
        chat.ask("How long does delivery take?")
        expect(chat.answers.last.locator("table")).to_be_visible()
        chat.wait_until_answered()
        chat.ask("What is your returns policy?")
        expect(chat.answers.last).to_contain_text("days")
        page.wait_for_timeout(300)
        page.screenshot(path=artefacts / "readme.jpg", type="jpeg", quality=80)
        chat.wait_until_answered()
