"""The chat without a pointer, and with an input method."""

from __future__ import annotations

from typing import Any

from bubble import Bubble
from conftest import open_shop
from playwright.sync_api import Browser, Page, expect
from stack import Stack

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_the_whole_walk_by_keyboard(page: Page) -> None:
    chat = Bubble(page)
    chat.launcher.focus()
    page.keyboard.press("Enter")
    expect(chat.input).to_be_focused()
    page.keyboard.type("answer: 400 tokens at 25 ms")
    page.keyboard.press("Enter")
    expect(chat.input).to_be_focused()
    expect(chat.input).to_have_value("")
    expect(chat.answers.last).to_contain_text("word3")
    page.keyboard.press("Tab")
    expect(chat.stop).to_be_focused()
    page.keyboard.press("Enter")
    expect(chat.stop).to_be_hidden()
    expect(chat.input).to_be_focused()
    page.keyboard.press("Escape")
    expect(chat.panel).to_be_hidden()
    expect(chat.launcher).to_be_focused()
    expect(chat.launcher).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Space")
    expect(chat.input).to_be_focused()


def test_shift_enter_breaks_the_line(page: Page) -> None:
    chat = Bubble(page).open()
    chat.input.press_sequentially("one")
    chat.input.press("Shift+Enter")
    chat.input.press_sequentially("two")
    expect(chat.input).to_have_value("one\ntwo")
    expect(chat.questions).to_have_count(0)


def test_send_is_off_without_words(page: Page) -> None:
    chat = Bubble(page).open()
    expect(chat.send).to_be_disabled()
    chat.input.fill("   \n ")
    expect(chat.send).to_be_disabled()
    chat.input.press("Enter")
    expect(chat.questions).to_have_count(0)
    chat.input.fill("say: Hi.")
    expect(chat.send).to_be_enabled()
    chat.send.click()
    expect(chat.answers.last).to_have_text("Hi.")


def test_enter_that_chooses_a_candidate_does_not_send(page: Page) -> None:
    chat = Bubble(page).open()
    chat.input.focus()
    typing = page.context.new_cdp_session(page)
    typing.send("Input.imeSetComposition", {"text": "にほん", "selectionStart": 3, "selectionEnd": 3})
    # The key event that a browser sends while an input method has the keyboard.
    typing.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "windowsVirtualKeyCode": 229, "key": "Enter"})
    typing.send("Input.insertText", {"text": "日本"})
    expect(chat.input).to_have_value("日本")
    # Safari tells of the composition's end first, and then of the very Enter that ended it, like of any other. Both in
    # one task, so that no pause of this machine comes between them.
    is_taken = chat.input.evaluate(
        """(input) => {
            input.dispatchEvent(new CompositionEvent('compositionend', { bubbles: true, composed: true }));
            const press = { key: 'Enter', bubbles: true, composed: true, cancelable: true };
            return !input.dispatchEvent(new KeyboardEvent('keydown', press));
        }"""
    )
    assert is_taken, "it would have broken the line"
    expect(chat.questions).to_have_count(0)
    expect(chat.input).to_have_value("日本")
    chat.input.dispatch_event("keyup", {"key": "Enter"})  # from here on, an Enter is the visitor's own
    page.keyboard.press("Enter")
    expect(chat.questions).to_have_count(1)


def test_every_control_has_a_name_and_can_be_reached(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("say: ```js\nlet one = 1;\n```")
    expect(chat.answers.last.get_by_role("button", name="Copy")).to_be_visible()
    chat.wait_until_answered()
    chat.launcher.focus()
    seen: list[str] = []
    for _ in range(12):
        page.keyboard.press("Tab")
        name = page.evaluate(
            """() => {
                const inside = document.querySelector('chat-bubble').shadowRoot.activeElement;
                return inside && (inside.getAttribute('aria-label') || inside.textContent.trim() || inside.tagName);
            }"""
        )
        if name:
            seen.append(name)
    assert {"Close chat", "Conversation", "Your message", "Copy"} <= set(seen), seen


def test_who_opens_it_by_keyboard_may_type_at_once_on_a_touch_screen_too(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(**PHONE)
    page = open_shop(context, stack)
    chat = Bubble(page)
    chat.launcher.focus()
    page.keyboard.press("Enter")
    expect(chat.input).to_be_focused()
    context.close()


def test_who_taps_it_has_no_keyboard_over_the_answer(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(**PHONE)
    chat = Bubble(open_shop(context, stack))
    chat.launcher.tap()
    expect(chat.panel).to_be_focused()
    context.close()
