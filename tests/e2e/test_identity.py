"""Visitors whom the page names: one conversation on all their devices and tabs, until they sign out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

import jwt
import pytest
from bubble import Bubble, words
from conftest import open_shop
from own_site import QUEUE, RECORD, OwnSite, details, wait_for
from playwright.sync_api import Browser, BrowserContext, Page, expect
from stack import IDENTITY_SECRET, Stack
from test_api import session_of

Visit = Callable[..., Page]


def token(subject: str, **changes: object) -> str:
    """As the site's own server would make it."""
    now = int(time.time())
    claims = {"sub": subject, "aud": "chatbubble", "iat": now, "exp": now + 300}
    return jwt.encode({**claims, **changes}, IDENTITY_SECRET, "HS256")


def identify(page: Page, subject: str) -> None:
    """The page says who its visitor is; returns once that is known."""
    page.evaluate("(token) => Chatbubble('identify', { token })", token(subject))
    page.wait_for_function(
        "() => Object.entries(localStorage).some(([key, it]) => key.includes(':session:') && it.startsWith('signed_'))"
    )


def test_naming_the_visitor_fetches_nothing_before_they_reach_for_the_bubble(
    visit: Visit, own_site: OwnSite, context: BrowserContext
) -> None:
    asked: list[str] = []
    context.on("request", lambda request: asked.append(f"{request.method} {request.url.partition('/api/ai')[2]}"))
    call = f"Chatbubble('identify', {{ token: '{token('early')}' }}); Chatbubble('send', 'say: As myself.');"
    page = visit(f"{QUEUE}\n{call.partition(' Chatbubble')[0]}", tag=own_site.tag())
    expect(Bubble(page).launcher).to_be_visible()
    page.wait_for_timeout(300)
    assert [line for line in asked if line.startswith("POST") or ".mjs" in line] == []
    page = visit(f"{QUEUE}\n{call}", tag=own_site.tag())
    chat = Bubble(page).open()
    expect(chat.answers.last).to_have_text("As myself.")
    assert (session_of(page) or "").startswith("signed_")
    posts = [line for line in asked if line.startswith("POST")]
    assert posts == ["POST /identify", "POST /chat"]


def test_two_tabs_and_another_device_show_one_conversation(
    page: Page, context: BrowserContext, browser: Browser, stack: Stack
) -> None:
    first = Bubble(page).open()
    first.ask("say: Nameless.")
    expect(first.answers.last).to_have_text("Nameless.")
    second = Bubble(open_shop(context, stack, "/about")).open()
    expect(second.questions).to_have_count(1)
    identify(second.page, "two-tabs")
    for chat in (first, second):
        expect(chat.questions).to_have_count(0)
    first.ask("answer: 60 tokens at 41 ms")
    expect(second.answers.last).to_contain_text("word5 ")
    # The page that is loaded next says it again, with a token of its own.
    page.evaluate("(token) => Chatbubble('identify', { token })", token("two-tabs", name="renewed"))
    for chat in (first, second):
        expect(chat.answers.last).to_contain_text("word60", timeout=15_000)
        chat.wait_until_answered()
        assert chat.answer_text() == words(60)
    assert sum(request["question"] == "answer: 60 tokens at 41 ms" for request in stack.model_log()) == 1
    with browser.new_context() as device:
        elsewhere = Bubble(open_shop(device, stack)).open()
        identify(elsewhere.page, "two-tabs")
        expect(elsewhere.questions).to_have_text(["answer: 60 tokens at 41 ms"])
        assert elsewhere.answer_text() == words(60)


def test_signing_out_leaves_nothing_in_the_browser(page: Page, context: BrowserContext, stack: Stack) -> None:
    first = Bubble(page).open()
    identify(page, "signs-out")
    first.ask("say: Private.")
    expect(first.answers.last).to_have_text("Private.")
    second = Bubble(open_shop(context, stack, "/about")).open()
    expect(second.questions).to_have_count(1)
    first.host.get_by_role("button", name="Menu").click()
    expect(first.host.get_by_role("menuitem", name="New conversation")).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Escape")
    second.page.evaluate("() => Chatbubble('reset')")
    for chat in (first, second):
        expect(chat.questions).to_have_count(0)
    assert page.evaluate("() => Object.keys(localStorage)") == []
    identify(page, "signs-out")
    expect(second.answers.last).to_have_text("Private.")


@pytest.mark.parametrize("given", ["'no token'", f"'{token('late', exp=int(time.time()) - 120)}'"])
def test_a_refused_token_is_told_to_the_page_and_the_chat_goes_on(
    visit: Visit, own_site: OwnSite, context: BrowserContext, given: str
) -> None:
    context.expected_errors.extend(["identify failed", "401"])  # type: ignore[attr-defined]
    page = visit(f"{QUEUE}\n{RECORD}\nChatbubble('on', 'error', record('error'));", tag=own_site.tag())
    chat = Bubble(page).open()
    page.evaluate(
        f"() => {{ Chatbubble('identify', {{ token: {given} }}); Chatbubble('send', 'say: All the same.'); }}"
    )
    wait_for(page, "error")
    (error,) = details(page, "error")
    assert (error["id"], error["code"], error["retryable"]) == ("", "IDENTITY_REFUSED", False)
    expect(chat.answers.last).to_have_text("All the same.")
    assert not (session_of(page) or "").startswith("signed_")


def test_a_page_that_is_told_of_the_end_says_again_who_it_is(
    visit: Visit, own_site: OwnSite, context: BrowserContext
) -> None:
    context.expected_errors.append("401")  # type: ignore[attr-defined]
    person = hashlib.sha256(b'["", "renewed"]').hexdigest()[:48]
    over = f"signed_{int(time.time() + 3600) * 1000}_{person}_{'A' * 43}"
    stored = f"localStorage.setItem('chatbubble:session:{own_site.endpoint}', '{over}');"
    again = f"""{RECORD}
        Chatbubble('on', 'error', (error) => {{
            record('error')(error);
            if (error.code === 'SESSION_EXPIRED') Chatbubble('identify', {{ token: '{token("renewed")}' }});
        }});"""
    chat = Bubble(visit(f"{stored}{QUEUE}\n{again}", tag=own_site.tag())).open()
    chat.ask("say: Still here.")
    expect(chat.answers.last).to_have_text("Still here.")
    assert [error["code"] for error in details(chat.page, "error")] == ["SESSION_EXPIRED"]
    assert session_of(chat.page) != over
