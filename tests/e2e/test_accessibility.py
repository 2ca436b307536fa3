"""Whether everybody can use the chat: axe-core in every state, what a screen reader hears, where the focus goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import toolchain
from bubble import Bubble, words
from conftest import open_shop
from playwright.sync_api import Browser, Page, expect
from stack import Stack

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# A window of 1280 by 1024 at 400 %: what WCAG's reflow asks for.
ZOOMED = {"viewport": {"width": 320, "height": 256}, "device_scale_factor": 4}
LOOKS: dict[str, dict[str, Any]] = {
    "desktop": {},
    "dark": {"color_scheme": "dark"},
    "forced colours": {"forced_colors": "active"},
    "zoomed to 400 %": ZOOMED,
    "phone": PHONE,
    "dark phone": {**PHONE, "color_scheme": "dark"},
}
RICH = (
    "say at 1 ms: ## Delivery\n\nOf **course**: [track it](https://shop.example/track).\n\n"
    "| Where | Days |\n|---|--:|\n| Oslo | 4 |\n\n1. Choose.\n2. Pay.\n\n> Free from 50.\n\n```js\nconst one = 1;\n```"
)
_RUN_AXE = """async () => {
    const found = await axe.run({ include: ['chat-bubble'] }, { resultTypes: ['violations'] });
    return {
        passes: found.passes.length,
        violations: found.violations.flatMap(({ id, nodes }) =>
            nodes.map(({ target, failureSummary }) => `${id} ${target.flat().join(' ')} ${failureSummary}`)),
    };
}"""
# What pulses for ever does not count.
_COME_TO_REST = """() => Promise.all(document.querySelector('chat-bubble').shadowRoot.getAnimations()
    .filter(({ effect }) => effect.getTiming().iterations < 9)
    .map(({ finished }) => finished.catch(() => {})))"""
_LISTEN = """() => {
    window.heard = [];
    const root = document.querySelector('chat-bubble').shadowRoot;
    for (const region of root.querySelectorAll('[role=status]')) {
        new MutationObserver(() => window.heard.push(region.textContent))
            .observe(region, { subtree: true, childList: true, characterData: true });
    }
}"""
_FOCUSED = """() => {
    const inside = document.activeElement?.shadowRoot?.activeElement;
    return inside ? inside.getAttribute('aria-label') || inside.textContent.trim() || inside.localName : 'page';
}"""


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, as the lock file pins it."""
    toolchain.fetch(everything=True)
    return (toolchain.MODULES / "axe-core" / "axe.min.js").read_text("utf-8")


@pytest.fixture
def visit(browser: Browser, stack: Stack) -> Iterator[Callable[..., Page]]:
    """Opens the shop for one kind of visitor."""
    contexts = []

    def open_page(**options: Any) -> Page:
        contexts.append(
            browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1280, "height": 800}, **options})
        )
        return open_shop(contexts[-1], stack)

    yield open_page
    for context in contexts:
        context.close()


def findings(page: Page) -> list[str]:
    """What axe-core has to say about the bubble, after it has come to rest."""
    page.evaluate(_COME_TO_REST)
    found = page.evaluate(_RUN_AXE)
    assert found["passes"] > 3
    violations: list[str] = found["violations"]
    return violations


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_in_any_state(visit: Callable[..., Page], axe: str, look: str) -> None:
    page = visit(**LOOKS[look])
    page.evaluate(axe)
    chat = Bubble(page)
    found = {"closed": findings(page)}
    chat.open()
    expect(chat.answers.first).to_be_visible()
    found["open"] = findings(page)
    chat.ask("answer: 400 tokens at 40 ms")
    expect(chat.answers.last).to_contain_text("word5")
    found["streaming"] = findings(page)
    chat.stop.click()
    chat.wait_until_answered()
    chat.ask(RICH)
    expect(chat.answers.last).to_contain_text("const one")
    chat.wait_until_answered()
    found["rich"] = findings(page)
    chat.ask("fail: 503")
    expect(chat.retry).to_be_visible(timeout=15_000)
    found["failed"] = findings(page)
    for button in chat.panel.locator("header [aria-haspopup], header [aria-expanded]").all():
        button.click()
        found[f"menu {button.get_attribute('aria-label')}"] = findings(page)
        page.keyboard.press("Escape")
    assert {state: faults for state, faults in found.items() if faults} == {}


def test_the_panel_is_a_named_dialog_that_is_modal_where_it_covers_the_page(visit: Callable[..., Page]) -> None:
    chat = Bubble(visit()).open()
    expect(chat.answers.first).to_be_visible()
    heading = chat.panel.get_by_role("heading", level=2)
    expect(chat.panel).to_have_accessible_name(heading.inner_text())
    expect(chat.panel).to_have_attribute("aria-modal", "false")
    expect(chat.launcher).to_have_attribute("aria-haspopup", "dialog")
    chat.page.set_viewport_size({"width": 320, "height": 256})
    expect(chat.panel).to_have_attribute("aria-modal", "true")


def tab_through(page: Page, count: int, key: str = "Tab") -> list[str]:
    """What has the focus after each press."""
    names = []
    for _ in range(count):
        page.keyboard.press(key)
        names.append(page.evaluate(_FOCUSED))
    return names


def test_the_focus_goes_in_reading_order(visit: Callable[..., Page]) -> None:
    page = visit()
    chat = Bubble(page).open()
    chat.ask("say: [Here](https://shop.example/a).")
    expect(chat.answers.last.get_by_role("link", name="Here")).to_be_visible()
    chat.wait_until_answered()
    chat.input.fill("more")
    chat.launcher.focus()
    # Others stand in between: the menu, what can be done with an answer.
    order = [
        name for name in tab_through(page, 20) if name in {"Close chat", "Conversation", "Here", "Your message", "Send"}
    ]
    assert order == ["Close chat", "Conversation", "Here", "Your message", "Send"]


def test_where_the_panel_covers_the_page_tab_stays_in_it(visit: Callable[..., Page]) -> None:
    page = visit(**ZOOMED)
    chat = Bubble(page).open()
    chat.input.fill("more")
    chat.input.focus()
    forward = tab_through(page, 20)
    assert "page" not in forward
    assert {"Send", "Close chat", "Conversation", "Your message"} <= set(forward)
    assert "page" not in tab_through(page, 20, "Shift+Tab")
    page.keyboard.press("Escape")
    expect(chat.launcher).to_be_focused()


def test_f6_goes_between_transcript_and_composer(visit: Callable[..., Page]) -> None:
    page = visit()
    chat = Bubble(page).open()
    chat.ask("say: ```js\none\n```")
    expect(chat.answers.last.get_by_role("button", name="Copy")).to_be_visible()
    chat.wait_until_answered()
    assert tab_through(page, 3, "F6") == ["Conversation", "Your message", "Conversation"]
    page.keyboard.press("Tab")
    assert tab_through(page, 1, "F6") == ["Your message"]


def test_an_answer_is_told_when_it_begins_and_once_as_a_whole(visit: Callable[..., Page]) -> None:
    page = visit()
    chat = Bubble(page).open()
    expect(chat.host.locator("[role=status]").first).to_be_attached()
    page.wait_for_function("() => document.querySelector('chat-bubble').shadowRoot.querySelector('[part=announcer]')")
    page.evaluate(_LISTEN)
    chat.ask("answer: 60 tokens at 20 ms")
    page.wait_for_function("() => window.heard.some((text) => text.includes('word60'))")
    chat.wait_until_answered()
    page.wait_for_timeout(300)
    heard = [text for text in page.evaluate("() => window.heard") if text]
    assert heard == ["The assistant is writing…", words(60)]


def test_an_answer_is_told_as_plain_text(visit: Callable[..., Page]) -> None:
    page = visit()
    chat = Bubble(page).open()
    page.wait_for_function("() => document.querySelector('chat-bubble').shadowRoot.querySelector('[part=announcer]')")
    page.evaluate(_LISTEN)
    chat.ask(RICH)
    page.wait_for_function("() => window.heard.some((text) => text.includes('const one'))")
    told = page.evaluate("() => window.heard.findLast((text) => text.includes('const one'))")
    assert told.startswith("Delivery\nOf course: track it")
    assert not set("*#|>`") & set(told)
    assert "Copy" not in told


def test_an_answer_is_told_when_the_panel_was_closed_meanwhile(visit: Callable[..., Page]) -> None:
    page = visit()
    chat = Bubble(page).open()
    page.wait_for_function("() => document.querySelector('chat-bubble').shadowRoot.querySelector('[part=announcer]')")
    page.evaluate(_LISTEN)
    chat.ask("answer: 40 tokens at 20 ms")
    expect(chat.answers.last).to_contain_text("word3")
    page.keyboard.press("Escape")
    expect(chat.panel).to_be_hidden()
    page.wait_for_function("() => window.heard.some((text) => text.includes('word40'))")
    outside = chat.host.locator("> [part=announcer], [part=panel] ~ [part=announcer]")
    expect(outside).to_have_text(words(40))


@pytest.mark.parametrize("look", ["desktop", "phone"])
def test_what_can_be_pressed_is_44_pixels_high_and_wide(visit: Callable[..., Page], look: str) -> None:
    page = visit(**LOOKS[look])
    chat = Bubble(page)
    sizes: dict[str, Any] = measure(chat)
    chat.open()
    chat.ask(RICH)
    expect(chat.answers.last).to_contain_text("const one")
    chat.wait_until_answered()
    sizes |= measure(chat)
    chat.ask("fail: 503")
    expect(chat.retry).to_be_visible(timeout=15_000)
    sizes |= measure(chat)
    chat.ask("stall")
    expect(chat.stop).to_be_visible()
    sizes |= measure(chat)
    assert {name: size for name, size in sizes.items() if min(size) < 44} == {}
    names = {name.split(" ", 1)[1] for name in sizes}
    assert {"Close chat", "Send", "Stop", "Try again", "Copy", "Your message"} <= names


def measure(chat: Bubble) -> dict[str, tuple[int, int]]:
    """How far each control can be pressed, from its middle in the four directions."""
    sizes: dict[str, tuple[int, int]] = chat.host.evaluate(
        """(host) => {
            const root = host.shadowRoot;
            const jump = root.querySelector('[part~=jump]');
            const reach = (element, x, y, dx, dy) => {
                let steps = 0;
                const isHit = () => element.contains(root.elementFromPoint(x + dx * steps, y + dy * steps));
                while (steps < 60 && isHit()) steps += 0.5;
                return steps;
            };
            return Object.fromEntries([...root.querySelectorAll('button, textarea')].flatMap((element, at) => {
                element.scrollIntoView({ block: 'center', behavior: 'instant' });
                // What stands in a sentence is as high as its line.
                const isInline = getComputedStyle(element).display.startsWith('inline');
                if (isInline || !element.checkVisibility({ visibilityProperty: true })) return [];
                const { x, y, width, height } = element.getBoundingClientRect();
                // It floats over whatever stands there.
                if (jump) jump.style.pointerEvents = element === jump ? '' : 'none';
                const far = (dx, dy) => reach(element, x + width / 2, y + height / 2, dx, dy);
                const name = element.getAttribute('aria-label') ?? element.textContent;
                return [[`${at} ${name}`, [far(1, 0) + far(-1, 0), far(0, 1) + far(0, -1)]]];
            }));
        }"""
    )
    return sizes


def test_who_wants_no_motion_gets_none(visit: Callable[..., Page]) -> None:
    page = visit(reduced_motion="reduce")
    chat = Bubble(page).open()
    chat.ask("answer: 40 tokens at 20 ms")
    running = "() => document.querySelector('chat-bubble').shadowRoot.getAnimations().length"
    expect(chat.answers.last).to_contain_text("word3")
    assert page.evaluate(running) == 0
    chat.wait_until_answered()
    page.keyboard.press("Escape")
    assert page.evaluate(running) == 0


@pytest.mark.parametrize("width", [320, 256])
def test_nothing_is_cut_off_or_scrolls_sideways_when_zoomed(visit: Callable[..., Page], width: int) -> None:
    page = visit(viewport={"width": width, "height": 256})
    chat = Bubble(page).open()
    chat.ask("say at 1 ms: " + "A sentence of some length, " * 12 + "x" * 200)
    chat.wait_until_answered()
    assert chat.transcript.evaluate("(log) => log.scrollWidth <= log.clientWidth")
    for control in (chat.input, chat.send, chat.host.get_by_role("button", name="Close chat")):
        expect(control).to_be_in_viewport(ratio=1)
