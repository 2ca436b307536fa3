"""What was written before the page named its visitor: offered once, added or left, never merged by itself."""

from __future__ import annotations

from bubble import Bubble, words
from conftest import open_shop
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect
from stack import Stack
from test_identity import identify

ASK = "There is a conversation from before you signed in. Add it to yours?"
ADDED = "The conversation was added."
FAILED = "Something went wrong. Please try again."
ADD, LEAVE = "Add", "No, thanks"
# A desk, a phone, and a window of 1280 by 1024 at 400 %.
SIZES = ((1280, 800), (390, 844), (320, 256))
LEAST_TARGET = 44
_LISTEN = """() => {
    window.heard = [];
    for (const region of document.querySelector('chat-bubble').shadowRoot.querySelectorAll('[role=status]')) {
        new MutationObserver(() => heard.push(region.textContent)).observe(region, { subtree: true, childList: true });
    }
}"""


def offer_of(chat: Bubble) -> Locator:
    """The question, with its two answers."""
    return chat.host.get_by_role("group", name=ASK)


def answer_to(chat: Bubble, label: str) -> Locator:
    """One of the two, whatever is said above them by now."""
    return chat.host.get_by_role("button", name=label, exact=True)


def await_hearing(page: Page, text: str) -> None:
    """Wait until a screen reader was told so, whatever it was told since."""
    page.wait_for_function("(text) => heard.includes(text)", arg=text)


def stored(page: Page) -> list[str]:
    """Under which names this browser keeps something of ours."""
    names: list[str] = page.evaluate("() => Object.keys(localStorage).map((key) => key.split(':')[1])")
    return sorted(names)


def begin(page: Page, text: str = "Nameless.") -> Bubble:
    """A visitor whom nobody knows, after one answer."""
    chat = Bubble(page).open()
    chat.ask(f"say: {text}")
    expect(chat.answers.last).to_have_text(text)
    chat.wait_until_answered()
    return chat


def assert_within_reach(chat: Bubble) -> None:
    """Both answers can be hit, and there is room to write, in windows of all sizes."""
    for width, height in SIZES:
        chat.page.set_viewport_size({"width": width, "height": height})
        for label in (ADD, LEAVE):
            answer_to(chat, label).scroll_into_view_if_needed()
            box = answer_to(chat, label).bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= LEAST_TARGET
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        box = chat.input.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height
    chat.page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})


def refuse(route: Route) -> None:
    """As a server that does not know the route."""
    error = {"error": {"code": "NOT_FOUND", "message": "No.", "retryable": False}}
    route.fulfill(status=404, json=error, headers={"Access-Control-Allow-Origin": "*"})


def test_what_was_written_before_is_offered_and_added(page: Page, context: BrowserContext, stack: Stack) -> None:
    context.expected_errors.extend(["404", "409"])  # type: ignore[attr-defined]
    chat = begin(page, "The oldest.")
    page.evaluate(_LISTEN)
    identify(page, "adds")
    expect(offer_of(chat)).to_be_visible()
    await_hearing(page, ASK)
    # Not a word of it is shown before: it may be somebody else's.
    expect(chat.questions).to_have_count(0)
    assert_within_reach(chat)
    page.route("**/conversation/adopt", refuse, times=1)
    answer_to(chat, ADD).click()
    await_hearing(page, FAILED)
    chat.ask("answer: 20 tokens at 40 ms")
    expect(chat.answers.last).to_contain_text("word1 ")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(answer_to(chat, ADD)).to_be_focused()
    with page.expect_response(lambda response: response.url.endswith("/adopt") and response.status == 409):
        page.keyboard.press("Enter")
    other = Bubble(open_shop(context, stack, "/about"))
    if other.input.is_hidden():
        other.open()
    for tab in (chat, other):
        # It has waited for the end of the answer.
        expect(tab.questions).to_have_text(["say: The oldest.", "answer: 20 tokens at 40 ms"], timeout=30_000)
        expect(tab.answers.nth(1)).to_have_text("The oldest.")
        expect(tab.answers.last).to_have_text(words(20))
        expect(answer_to(tab, ADD)).to_have_count(0)
    expect(chat.input).to_be_focused()
    await_hearing(page, ADDED)
    assert stored(page) == ["session"]


def test_what_is_left_is_gone_for_good(page: Page, context: BrowserContext, stack: Stack) -> None:
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    first = begin(page)
    identify(page, "leaves")
    expect(offer_of(first)).to_be_visible()
    assert stored(page) == ["earlier", "session"]
    second = Bubble(open_shop(context, stack, "/about")).open()
    identify(second.page, "leaves")
    second.page.wait_for_function("async () => (await navigator.locks.query()).pending.length > 1")
    # Both pages count as looked at, as in two windows side by side: one of them asks.
    expect(offer_of(second)).to_have_count(0)
    page.close()
    answer_to(second, LEAVE).click()
    expect(offer_of(second)).to_have_count(0)
    assert stored(second.page) == ["session"]
    second.page.reload()
    second.open()
    with second.page.expect_response(lambda response: response.url.endswith("/conversation")):
        identify(second.page, "leaves")
    second.ask("say: Mine.")
    expect(second.answers.last).to_have_text("Mine.")
    expect(second.questions).to_have_text(["say: Mine."])
    expect(answer_to(second, ADD)).to_have_count(0)
    assert [url for url in asked if "adopt" in url] == []


def test_signing_out_takes_the_question_away(page: Page, context: BrowserContext, stack: Stack) -> None:
    chat = begin(page)
    identify(page, "signs-out-asked")
    expect(offer_of(chat)).to_be_visible()
    other = Bubble(open_shop(context, stack, "/about")).open()
    other.page.evaluate("() => Chatbubble('reset')")
    expect(offer_of(chat)).to_have_count(0)
    assert page.evaluate("() => Object.keys(localStorage)") == []
