"""What `chatbubble snippet --pin` prints: a browser runs what it names, and nothing that was changed on its way."""

from __future__ import annotations

import subprocess
import sys

import pytest
from bubble import Bubble
from own_site import OwnSite
from playwright.sync_api import BrowserContext, Page, Route, expect


@pytest.fixture
def pinned(context: BrowserContext, own_site: OwnSite) -> Page:
    """A page, not loaded yet, that has the tag."""
    command = [sys.executable, "-m", "chatbubble.cli", "snippet", "--url", own_site.endpoint, "--pin"]
    own_site.page(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return context.new_page()


def change(route: Route) -> None:
    """Let the answer through with a blank more."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text() + " ")


def test_a_pinned_chat_answers(pinned: Page, own_site: OwnSite) -> None:
    pinned.goto(own_site.origin)
    chat = Bubble(pinned).open()
    chat.ask("say: Hello there")
    expect(chat.answers.last).to_have_text("Hello there")


def test_a_changed_launcher_does_not_run(pinned: Page, own_site: OwnSite, context: BrowserContext) -> None:
    context.expected_errors += ["digest"]  # type: ignore[attr-defined]
    pinned.route("**/assets/widget.*", change)
    with pinned.expect_event("console", lambda message: "integrity" in message.text):
        pinned.goto(own_site.origin)
    assert pinned.evaluate("typeof Chatbubble") == "undefined"
    expect(pinned.locator("chat-bubble")).to_have_count(0)
