"""Reading: the view follows only a reader who is at the end, and leaves a selection alone."""

from __future__ import annotations

from bubble import Bubble
from playwright.sync_api import Page, expect

_AT_END = "(log) => log.scrollHeight - log.scrollTop - log.clientHeight < 4"


def test_the_view_follows_the_answer(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("answer: 300 tokens at 5 ms")
    expect(chat.answers.last).to_contain_text("word300", timeout=15_000)
    chat.wait_until_answered()
    assert chat.transcript.evaluate(_AT_END)
    expect(chat.host.get_by_role("button", name="New text below")).to_be_hidden()


def test_a_reader_who_scrolls_up_is_left_alone(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("answer: 300 tokens at 2 ms")
    expect(chat.answers.last).to_contain_text("word300", timeout=15_000)
    chat.ask("answer: 200 tokens at 20 ms")
    expect(chat.answers.last).to_contain_text("word10")
    chat.transcript.hover()
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(200)
    before = chat.transcript.evaluate("(log) => log.scrollTop")
    expect(chat.answers.last).to_contain_text("word200", timeout=15_000)
    assert chat.transcript.evaluate("(log) => log.scrollTop") == before
    more = chat.host.get_by_role("button", name="New text below")
    more.click()
    page.wait_for_function(
        "() => { const log = document.querySelector('chat-bubble').shadowRoot.querySelector('[role=log]');"
        " return log.scrollHeight - log.scrollTop - log.clientHeight < 4; }"
    )
    expect(more).to_be_hidden()


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
                    const region = (target.parentElement ?? target).closest?.('[aria-live=polite], [role=status]');
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
