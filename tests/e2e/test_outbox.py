"""Questions that cannot be sent wait where the visitor sees them, and are sent once."""

from __future__ import annotations

import re

from bubble import Bubble
from conftest import open_shop
from playwright.sync_api import BrowserContext, Page, expect
from stack import Stack

_API = re.compile(r"/api/ai/(chat|conversation)\b")
# The browser's own word for having no network, while the shop's pages still come.
_OFFLINE = "Object.defineProperty(Navigator.prototype, 'onLine', { get: () => !localStorage.getItem('test-offline') });"
_EXPECTED = ["Failed to load resource", "ERR_", "goes on without"]
_UNSENT = "() => Object.keys(localStorage).filter((key) => key.startsWith('chatbubble:unsent:')).length"


def go_offline(context: BrowserContext, page: Page) -> None:
    """Cut the pages off from the chat, but not from the shop, so that they can be loaded anew."""
    context.expected_errors += _EXPECTED  # type: ignore[attr-defined]
    context.route(_API, lambda route: route.abort("internetdisconnected"))
    page.evaluate("localStorage.setItem('test-offline', '1')")


def go_online(context: BrowserContext, *pages: Page) -> None:
    """Undo `go_offline`."""
    context.unroute(_API)
    pages[0].evaluate("localStorage.removeItem('test-offline')")
    for page in pages:
        page.evaluate("dispatchEvent(new Event('online'))")


def asked(stack: Stack, question: str) -> int:
    """How often the model was asked."""
    return sum(request["question"] == question for request in stack.model_log())


def test_questions_wait_for_the_line_and_are_sent_in_order(context: BrowserContext, page: Page, stack: Stack) -> None:
    chat = Bubble(page).open()
    context.expected_errors += _EXPECTED  # type: ignore[attr-defined]
    context.set_offline(True)
    chat.ask("say: First out.")
    chat.ask("say: Second out.")
    expect(chat.questions).to_have_count(2)
    expect(chat.transcript.get_by_text("Not sent yet")).to_have_count(2)
    expect(chat.panel).to_contain_text("You are offline")
    assert page.evaluate(_UNSENT) == 2
    context.set_offline(False)
    expect(chat.answers.last).to_have_text("Second out.", timeout=15_000)
    expect(chat.questions).to_have_count(2)
    expect(chat.transcript.get_by_text("Not sent yet")).to_have_count(0)
    expect(chat.panel).not_to_contain_text("You are offline")
    assert [asked(stack, "say: First out."), asked(stack, "say: Second out.")] == [1, 1]
    assert page.evaluate(_UNSENT) == 0


def test_an_unsent_question_outlives_a_reload(context: BrowserContext, stack: Stack) -> None:
    context.add_init_script(_OFFLINE)
    page = open_shop(context, stack)
    chat = Bubble(page).open()
    go_offline(context, page)
    chat.ask("say: Through a reload.")
    expect(chat.transcript.get_by_text("Not sent yet")).to_be_visible()
    page.reload()
    chat.opens_itself()
    expect(chat.questions).to_have_text("say: Through a reload.")
    expect(chat.panel).to_contain_text("You are offline")
    go_online(context, page)
    expect(chat.answers.last).to_have_text("Through a reload.", timeout=15_000)
    expect(chat.questions).to_have_count(1)
    assert asked(stack, "say: Through a reload.") == 1


def test_several_tabs_with_one_outbox_send_once(context: BrowserContext, stack: Stack) -> None:
    context.add_init_script(_OFFLINE)
    pages = [open_shop(context, stack) for _ in range(3)]
    tabs = [Bubble(page).open() for page in pages]
    go_offline(context, pages[0])
    tabs[2].ask("say: Once from three.")
    for page in pages:
        page.reload()
    for chat in tabs:
        chat.opens_itself()
        expect(chat.questions).to_have_text("say: Once from three.")
    go_online(context, *pages)
    for chat in tabs:
        expect(chat.answers.last).to_have_text("Once from three.", timeout=15_000)
    assert asked(stack, "say: Once from three.") == 1


def test_a_question_that_is_not_sent_can_be_taken_back(context: BrowserContext, page: Page, stack: Stack) -> None:
    chat = Bubble(page).open()
    context.expected_errors += _EXPECTED  # type: ignore[attr-defined]
    context.set_offline(True)
    chat.ask("say: Never mind.")
    chat.ask("say: Do mind.")
    chat.host.get_by_role("button", name="Do not send this question").first.click()
    expect(chat.questions).to_have_text("say: Do mind.")
    expect(chat.input).to_be_focused()
    context.set_offline(False)
    expect(chat.answers.last).to_have_text("Do mind.", timeout=15_000)
    assert asked(stack, "say: Never mind.") == 0


def test_a_full_storage_keeps_questions_as_long_as_the_page_lives(context: BrowserContext, stack: Stack) -> None:
    context.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };"
    )
    page = open_shop(context, stack)
    chat = Bubble(page).open()
    context.expected_errors += _EXPECTED  # type: ignore[attr-defined]
    context.set_offline(True)
    chat.ask("say: From memory.")
    expect(chat.transcript.get_by_text("Not sent yet")).to_be_visible()
    context.set_offline(False)
    expect(chat.answers.last).to_have_text("From memory.", timeout=15_000)
