"""Several tabs of one visitor: one answer in all of them, over one connection, whichever of them goes."""

from __future__ import annotations

import itertools
import re
import sys
from contextlib import suppress
from typing import Any

from bubble import Bubble, words
from conftest import CHROMIUM_FLAGS, chromium, open_shop
from playwright.sync_api import BrowserContext, Error, Page, Playwright, Request, expect
from stack import Stack

# When which length of the answer stood in the page, in milliseconds that all tabs share.
_RECORD = """() => {
    const log = document.querySelector('chat-bubble').shadowRoot.querySelector('[role=log]');
    window.record = [];
    new MutationObserver(() => {
        const text = [...log.querySelectorAll('[part~=assistant-bubble]')].at(-1).textContent;
        if (text.startsWith('word')) window.record.push([performance.timeOrigin + performance.now(), text.length]);
    }).observe(log, { childList: true, characterData: true, subtree: true });
}"""
_LEAD = """async () => {
    const { held } = await navigator.locks.query();
    return held.filter(({ name }) => name.startsWith('chatbubble:')).map(({ clientId }) => clientId);
}"""
_LENGTH = 77


def watch_requests(context: BrowserContext) -> list[str]:
    """The requests to the chat of all pages, from now on, as `METHOD path`."""
    seen: list[str] = []

    def note(request: Request) -> None:
        path = re.sub(r"^.*/api/ai|[?#].*$", "", request.url)
        if "/api/ai/" in request.url and path.split("/")[1] in {"chat", "conversation"}:
            seen.append(f"{request.method} {path}")

    context.on("request", note)
    return seen


def open_tabs(context: BrowserContext, stack: Stack, count: int) -> list[Bubble]:
    """Tabs with open panels. The first of them leads."""
    return [Bubble(open_shop(context, stack)).open() for _ in range(count)]


def lead_of(page: Page) -> Any:
    """Which page leads, by the browser's name for it."""
    return page.evaluate(_LEAD)


def asked(stack: Stack, question: str) -> int:
    """How often the model was asked."""
    return sum(request["question"] == question for request in stack.model_log())


def tell(figure: str) -> None:
    """Print what was measured, for those who run with `-s`."""
    sys.stdout.write(f"{figure}\n")


def delays(first: list[list[float]], second: list[list[float]]) -> list[float]:
    """How long after the one tab the other had as much of the answer, for each length, in milliseconds, sorted."""
    last = min(first[-1][1], second[-1][1])
    return sorted(
        abs(at - next(other for other, more in second if more >= length)) for at, length in first if length <= last
    )


def test_two_tabs_show_one_live_answer_over_one_connection(context: BrowserContext, stack: Stack) -> None:
    seen = watch_requests(context)
    first, second = open_tabs(context, stack, 2)
    for chat in (first, second):
        # Text is written as it arrives: what is measured is the way from tab to tab, not the typewriter's pace.
        chat.page.emulate_media(reduced_motion="reduce")
        chat.page.evaluate(_RECORD)
    second.ask("answer: 150 tokens at 20 ms")
    for chat in (first, second):
        expect(chat.answers.last).to_contain_text("word150", timeout=20_000)
        chat.wait_until_answered()
    assert first.answer_text() == second.answer_text() == words(150)
    assert seen == ["POST /chat"]
    late = delays(first.page.evaluate("record"), second.page.evaluate("record"))
    tell(f"between two tabs: p50 {late[len(late) // 2]:.0f} ms, p99 {late[len(late) * 99 // 100]:.0f} ms")
    # A tab that is not in front is given less of the processor: on a busy machine it may come late, yet not often.
    assert late[len(late) // 2] < 20
    assert late[len(late) * 9 // 10] < 100


def test_five_tabs_show_what_was_asked_in_any(context: BrowserContext, stack: Stack) -> None:
    tabs = open_tabs(context, stack, 5)
    for number, chat in enumerate(tabs):
        chat.ask(f"say: Reply {number}.")
        for other in tabs:
            expect(other.answers.last).to_have_text(f"Reply {number}.")
            expect(other.questions).to_have_count(number + 1)


def test_the_leading_tab_is_closed_in_mid_answer(context: BrowserContext, stack: Stack) -> None:
    seen = watch_requests(context)
    question = f"answer: {_LENGTH} tokens at 30 ms"
    first, second = open_tabs(context, stack, 2)
    second.page.evaluate(_RECORD)
    first.ask(question)
    expect(second.answers.last).to_contain_text("word9 ")
    before = asked(stack, question)
    first.page.close()
    expect(second.answers.last).to_contain_text(f"word{_LENGTH}", timeout=15_000)
    second.wait_until_answered()
    assert second.answer_text() == words(_LENGTH)
    assert (before, asked(stack, question)) == (1, 1)
    assert sum(request == "POST /chat" for request in seen) == 1
    record = second.page.evaluate("record")
    assert all(length <= later for (_, length), (_, later) in itertools.pairwise(record))
    gap = max(later - at for (at, _), (later, _) in itertools.pairwise(record))
    tell(f"longest stillness across the hand-over: {gap:.0f} ms")
    assert gap < 1000


def test_the_leading_tab_crashes_in_mid_answer(context: BrowserContext, stack: Stack) -> None:
    first, second = open_tabs(context, stack, 2)
    second.ask(f"answer: {_LENGTH} tokens at 30 ms")
    expect(second.answers.last).to_contain_text("word9 ")
    # A renderer of its own, so that the other tab does not die with it.
    with first.page.expect_event("crash"), suppress(Error):
        first.page.goto("chrome://crash")
    expect(second.answers.last).to_contain_text(f"word{_LENGTH}", timeout=15_000)
    second.wait_until_answered()
    assert second.answer_text() == words(_LENGTH)


def test_a_frozen_tab_hands_the_lead_on_and_catches_up(context: BrowserContext, stack: Stack) -> None:
    first, second = open_tabs(context, stack, 2)
    second.ask(f"answer: {_LENGTH} tokens at 30 ms")
    expect(first.answers.last).to_contain_text("word9 ")
    lead = lead_of(second.page)
    # The event alone: the driver's own freezing does not reach a page that it shows.
    first.page.evaluate("document.dispatchEvent(new Event('freeze'))")
    expect(second.answers.last).to_contain_text("word40 ", timeout=15_000)
    assert lead_of(second.page) != lead
    first.page.evaluate("document.dispatchEvent(new Event('resume'))")
    for chat in (second, first):
        expect(chat.answers.last).to_contain_text(f"word{_LENGTH}", timeout=15_000)
        chat.wait_until_answered()
        assert chat.answer_text() == words(_LENGTH)


def test_a_page_of_the_back_forward_cache_joins_again(playwright: Playwright, stack: Stack) -> None:
    # The driver switches this cache off unless it is told not to.
    browser = playwright.chromium.launch(
        executable_path=chromium(), args=CHROMIUM_FLAGS, ignore_default_args=["--disable-back-forward-cache"]
    )
    context = browser.new_context(locale="en-GB")
    first, second = open_tabs(context, stack, 2)
    first.page.evaluate("addEventListener('pageshow', ({ persisted }) => (window.cameBack = persisted))")
    first.page.goto(stack.site + "/playground")
    second.ask("say: While you were away.")
    expect(second.answers.last).to_have_text("While you were away.")
    first.page.evaluate("() => void setTimeout(() => history.back())")
    first.page.wait_for_function("window.cameBack === true")
    expect(first.answers.last).to_have_text("While you were away.")
    first.ask("say: Together again.")
    for chat in (first, second):
        expect(chat.answers.last).to_have_text("Together again.")
    browser.close()


def test_stop_in_another_tab_stops_the_answer(context: BrowserContext, stack: Stack) -> None:
    first, second = open_tabs(context, stack, 2)
    first.ask(f"answer: {_LENGTH} tokens at 40 ms")
    expect(second.answers.last).to_contain_text("word5 ")
    second.stop.click()
    for chat in (first, second):
        expect(chat.transcript).to_contain_text("Stopped")
        expect(chat.stop).to_be_hidden()


def test_what_was_read_in_one_tab_is_unread_in_none(context: BrowserContext, stack: Stack) -> None:
    first, second = open_tabs(context, stack, 2)
    second.launcher.click()
    expect(second.input).to_be_hidden()
    first.launcher.click()
    second.page.evaluate("Chatbubble('on', 'unread', ({ count }) => (window.count = count))")
    first.page.evaluate("Chatbubble('ask', 'say: Read me.')")
    expect(first.answers.last).to_have_text("Read me.")
    second.page.wait_for_function("window.count === 0")


def test_a_tab_alone_works_where_channels_are_blocked(context: BrowserContext, stack: Stack) -> None:
    context.add_init_script(
        "BroadcastChannel = class { constructor() { throw new DOMException('', 'SecurityError'); } }"
    )
    first, second = open_tabs(context, stack, 2)
    first.ask("say: Alone.")
    expect(first.answers.last).to_have_text("Alone.")
    second.ask("say: And I.")
    expect(second.answers.last).to_have_text("And I.")


def test_a_part_that_did_not_come_is_fetched_again(context: BrowserContext, stack: Stack) -> None:
    context.expected_errors += ["Failed to load resource", "goes on without sync"]  # type: ignore[attr-defined]
    kept = Bubble(open_shop(context, stack)).open()
    kept.ask("say: Before.")
    expect(kept.answers.last).to_have_text("Before.")
    context.route(re.compile(r"/sync\.\w+\.mjs"), lambda route: route.fulfill(status=404), times=1)
    chat = Bubble(open_shop(context, stack)).open()
    expect(chat.questions).to_have_count(0)
    chat.ask("say: After.")
    for tab in (chat, kept):
        expect(tab.answers.last).to_have_text("After.")
        expect(tab.questions).to_have_count(2)
