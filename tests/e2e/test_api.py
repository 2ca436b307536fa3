"""The page's own code and the bubble: verbs before and after the chat is there, live options, the handle."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bubble import Bubble
from conftest import open_shop
from own_site import EVENTS, MOUNT, QUEUE, RECORD, RECORD_ALL, OwnSite, names, wait_for
from playwright.sync_api import BrowserContext, Page, expect
from stack import Stack, fetch_json

Visit = Callable[..., Page]


def test_listeners_alone_load_nothing(visit: Visit, own_site: OwnSite, stack: Stack, context: BrowserContext) -> None:
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = visit(f"{QUEUE}\n{RECORD_ALL}", tag=own_site.tag())
    expect(Bubble(page).launcher).to_be_visible()
    page.wait_for_timeout(300)
    assert [url for url in asked if url.startswith(stack.widget_origin)] == [f"{stack.widget_origin}/api/ai/widget.js"]


def test_calls_before_the_script_came_are_answered_in_order(visit: Visit, own_site: OwnSite) -> None:
    calls = "Chatbubble('ask', 'say: One.'); Chatbubble('send', 'say: Two.'); Chatbubble('close');"
    page = visit(f"{QUEUE}\n{calls}", tag=own_site.tag())
    chat = Bubble(page)
    expect(chat.panel).to_be_hidden()
    chat.open()
    expect(chat.answers.last).to_have_text("Two.")
    expect(chat.questions).to_have_text(["say: One.", "say: Two."])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("'send', 42", "Chatbubble: send takes a text of at most 4,000 characters, not a value of type number."),
        ("'dance'", "Chatbubble: dance is unknown."),
        ("'on', 'dance', () => {}", "Chatbubble: there is no event dance"),
        ("'on', 'open'", "Chatbubble: on open takes a function"),
        ("'update', 'dark'", "Chatbubble: update takes an object of options."),
        ("'update', {accent: 'red'}", 'Chatbubble: accent takes a colour like #0a7 or #00aa77, not "red".'),
        ("'update', {locale: 'de'}", "Chatbubble: locale cannot be changed by update."),
        ("'update', {strings: {sendd: 'Go'}}", "Chatbubble: strings has no text sendd, or it is none."),
    ],
)
def test_a_call_that_makes_no_sense_is_named(page: Page, context: BrowserContext, call: str, words: str) -> None:
    context.expected_errors.append("Chatbubble: ")  # type: ignore[attr-defined]
    Bubble(page).open()
    with page.expect_console_message(lambda message: words in message.text):
        page.evaluate(f"() => Chatbubble({call})")


def test_a_question_of_the_page_that_is_too_long_is_named_and_takes_no_draft_away(
    page: Page, context: BrowserContext
) -> None:
    context.expected_errors.append("Chatbubble: ")  # type: ignore[attr-defined]
    chat = Bubble(page).open()
    chat.input.fill("My own draft")
    with page.expect_console_message(lambda message: "ask takes a text of at most 4,000" in message.text):
        page.evaluate("() => Chatbubble('ask', 'y'.repeat(4001))")
    expect(chat.input).to_have_value("My own draft")


def test_a_finished_answer_is_no_failed_request(page: Page) -> None:
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(f"{request.method} {request.url} {request.failure}"))
    chat = Bubble(page).open()
    for number in range(3):
        chat.ask(f"say: Reply {number}.")
        expect(chat.answers.last).to_have_text(f"Reply {number}.")
        chat.wait_until_answered()
    page.wait_for_timeout(1200)  # as long as a finished stream may linger
    assert failed == []


def test_the_chat_changes_what_it_says_while_it_is_there(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("say: Send")
    expect(chat.answers.last).to_have_text("Send")
    chat.wait_until_answered()
    page.evaluate(
        """() => Chatbubble('update', {title: 'Nell', greeting: 'Morning!',
            strings: {send: 'Off it goes', placeholder: 'What is it?', assistant: 'Nell of Larkmoor'}})"""
    )
    expect(chat.host.get_by_role("heading", name="Nell")).to_be_visible()
    expect(chat.host.get_by_role("dialog", name="Nell")).to_be_visible()
    expect(chat.transcript).to_contain_text("Morning!")
    expect(chat.host.get_by_role("button", name="Off it goes")).to_be_visible()
    expect(chat.input).to_have_attribute("placeholder", "What is it?")
    expect(chat.host.get_by_role("article", name="Nell of Larkmoor").last).to_contain_text("Send")
    expect(chat.questions.last).to_have_text("say: Send")
    page.evaluate("() => Chatbubble('update', {title: null, greeting: null})")
    expect(chat.host.get_by_role("heading", name="Chat with us")).to_be_visible()
    expect(chat.transcript).to_contain_text("Hello!")


def background(chat: Bubble, part: str) -> str:
    """The colour that stands behind a part."""
    colour: str = chat.host.locator(f"[part~={part}]").first.evaluate("(it) => getComputedStyle(it).backgroundColor")
    return colour


def test_the_theme_changes_while_it_is_there(page: Page) -> None:
    chat = Bubble(page).open()
    page.emulate_media(color_scheme="light")
    colours = {}
    for theme in ("light", "dark", "auto"):
        page.evaluate("(theme) => Chatbubble('update', {theme})", theme)
        page.wait_for_timeout(400)  # colours may fade
        colours[theme] = background(chat, "panel")
    assert colours["auto"] == colours["light"] != colours["dark"]
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(400)
    assert background(chat, "panel") == colours["dark"]


def test_a_chat_that_began_light_can_turn_dark(visit: Visit, own_site: OwnSite) -> None:
    chat = Bubble(visit(tag=own_site.tag('data-theme="light"'))).open()
    light = background(chat, "panel")
    chat.page.evaluate("() => Chatbubble('update', {theme: 'dark'})")
    chat.page.wait_for_function(
        """(light) => getComputedStyle(document.querySelector('chat-bubble').shadowRoot.querySelector('.panel'))
            .backgroundColor !== light""",
        arg=light,
    )


def test_colour_and_place_change_before_anybody_opened_it(visit: Visit, own_site: OwnSite) -> None:
    page = visit(f"{QUEUE} Chatbubble('update', {{accent: '#123456', position: 'bottom-left'}});", tag=own_site.tag())
    chat = Bubble(page)
    expect(chat.host).to_have_attribute("data-at", "bottom-left")
    expect(chat.launcher).to_have_css("background-color", "rgb(18, 52, 86)")
    expect(chat.panel).to_be_hidden()
    page.evaluate("() => Chatbubble('update', {accent: null, position: null})")
    expect(chat.launcher).not_to_have_css("background-color", "rgb(18, 52, 86)")
    assert chat.host.get_attribute("data-at") is None


def session_of(page: Page) -> str | None:
    """The visitor's session id in this browser."""
    found: str | None = page.evaluate(
        "() => Object.entries(localStorage).find(([key]) => key.startsWith('chatbubble:session:'))?.[1] ?? null"
    )
    return found


def test_reset_begins_anew_as_somebody_else(page: Page, stack: Stack) -> None:
    chat = Bubble(page).open()
    chat.ask("say: My old secret.")
    expect(chat.answers.last).to_have_text("My old secret.")
    chat.wait_until_answered()
    old = session_of(page)
    page.evaluate("() => Chatbubble('reset')")
    expect(chat.questions).to_have_count(0)
    expect(chat.transcript).to_contain_text("Hello!")
    assert session_of(page) is None
    chat.ask("say: Anew.")
    expect(chat.answers.last).to_have_text("Anew.")
    assert session_of(page) not in (None, old)
    page.reload()
    expect(Bubble(page).open().questions).to_have_text(["say: Anew."])
    kept = fetch_json(f"{stack.api}/conversation", headers={"Authorization": f"Bearer {old}"})
    assert [message["content"] for message in kept["messages"]] == ["say: My old secret.", "My old secret."]


def test_reset_while_an_answer_runs_leaves_nothing_of_it(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("answer: 200 tokens at 20 ms")
    expect(chat.answers.last).to_contain_text("word5")
    page.evaluate("() => Chatbubble('reset')")
    expect(chat.questions).to_have_count(0)
    expect(chat.stop).to_be_hidden()
    chat.ask("say: Anew.")
    expect(chat.answers.last).to_have_text("Anew.")
    expect(chat.transcript).not_to_contain_text("word6")


def test_reset_reaches_the_other_tabs(context: BrowserContext, page: Page, stack: Stack) -> None:
    first = Bubble(page).open()
    first.ask("say: Shared.")
    expect(first.answers.last).to_have_text("Shared.")
    second = Bubble(open_shop(context, stack, "/about")).open()
    expect(second.questions).to_have_count(1)
    page.evaluate("() => Chatbubble('reset')")
    expect(second.questions).to_have_count(0)
    second.ask("say: From the second.")
    expect(second.answers.last).to_have_text("From the second.")
    first.ask("say: From the first.")
    expect(first.answers.last).to_have_text("From the first.")
    page.reload()
    expect(Bubble(page).open().questions).to_have_text(["say: From the second.", "say: From the first."])


def test_reset_on_a_page_whose_bubble_was_never_opened(page: Page, context: BrowserContext, stack: Stack) -> None:
    chat = Bubble(page).open()
    chat.ask("say: Logged in.")
    expect(chat.answers.last).to_have_text("Logged in.")
    chat.wait_until_answered()
    page.close()
    other = open_shop(context, stack, "/about")
    other.evaluate("() => Chatbubble('reset')")
    other.wait_for_function("() => !Object.keys(localStorage).some((key) => key.startsWith('chatbubble:session:'))")
    expect(Bubble(other).open().questions).to_have_count(0)


def test_the_handle_does_what_the_global_does(visit: Visit) -> None:
    page = visit(RECORD, module=MOUNT)
    chat = Bubble(page)
    expect(chat.launcher).to_be_visible()
    page.evaluate("() => { chat.on('open', record('open')); chat.on('answer', record('answer')); }")
    page.evaluate("() => chat.send('say: Quietly.')")
    wait_for(page, "answer")
    expect(chat.panel).to_be_hidden()
    page.evaluate("() => { chat.update({title: 'Ours'}); chat.toggle(); chat.ask('answer: 400 tokens at 25 ms'); }")
    expect(chat.host.get_by_role("heading", name="Ours")).to_be_visible()
    expect(chat.answers.last).to_contain_text("word3")
    page.evaluate("() => chat.stop()")
    expect(chat.stop).to_be_hidden()
    wait_for(page, "answer", 2)
    page.evaluate("() => chat.reset()")
    expect(chat.questions).to_have_count(0)
    page.evaluate("() => chat.destroy()")
    expect(chat.host).to_have_count(0)
    assert page.evaluate("() => window.Chatbubble") is None


def test_the_handles_store_is_made_for_frameworks(visit: Visit) -> None:
    page = visit(module=MOUNT)
    chat = Bubble(page)
    expect(chat.launcher).to_be_visible()
    before = page.evaluate("() => [chat.store.get(), chat.store.get() === chat.store.get()]")
    idle = {"isReady": False, "isOpen": False, "isAnswering": False, "unread": 0, "connection": "idle", "messages": []}
    assert before == [idle, True]
    page.evaluate("() => { window.states = []; window.undo = chat.store.subscribe((state) => states.push(state)); }")
    chat.open().ask("say: Stored.")
    page.wait_for_function("() => chat.store.get().messages.at(-1)?.state === 'done'")
    state = page.evaluate("() => chat.store.get()")
    assert [(message["author"], message["text"]) for message in state["messages"]] == [
        ("visitor", "say: Stored."),
        ("assistant", "Stored."),
    ]
    assert page.evaluate("() => states.at(-1) === chat.store.get() && states.some((state) => state.isAnswering)")
    count = page.evaluate("() => { undo(); return states.length; }")
    page.evaluate("() => chat.close()")
    page.wait_for_function("() => !chat.store.get().isOpen")
    assert page.evaluate("() => states.length") == count


def test_after_the_end_nothing_is_asked_and_nothing_told(visit: Visit) -> None:
    page = visit(RECORD, module=MOUNT)
    chat = Bubble(page)
    expect(chat.launcher).to_be_visible()
    page.evaluate(f"() => {{ for (const name of {EVENTS}) chat.on(name, record(name)); }}")
    chat.open()
    wait_for(page, "open")
    page.evaluate("() => { chat.destroy(); chat.send('say: Ghost.'); chat.ask('say: Ghost.'); }")
    page.wait_for_timeout(300)
    assert names(page) == ["ready", "open"]
    assert session_of(page) is None
