"""How a page places the bubble: corners, sizes, its own icon, inside an element of its own, after consent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bubble import Bubble
from guest import Guest
from playwright.sync_api import BrowserContext, Page, Request, Route, expect

WIDTH, HEIGHT = 1280, 800
Open = Callable[..., Page]


@pytest.fixture
def site(context: BrowserContext, guest: Guest) -> Open:
    """Opens a page that has this tag."""

    def open_page(attributes: str = "", *, html: str = "<html lang=en>", body: str = "", head: str = "") -> Page:
        return guest.open(context, body + guest.tag(attributes), html=html, head=head)

    return open_page


def box_of(page: Page, part: str) -> dict[str, float]:
    """Where a part of the bubble stands, by its distance from the window's four sides, and its size."""
    box: Any = page.locator(f"chat-bubble [part={part}]").bounding_box()
    assert box is not None, f"{part} is not on the page"
    right, bottom = WIDTH - box["x"] - box["width"], HEIGHT - box["y"] - box["height"]
    return {"left": box["x"], "top": box["y"], "right": right, "bottom": bottom} | {
        name: box[name] for name in ("width", "height")
    }


@pytest.mark.parametrize("corner", ["bottom-right", "bottom-left", "top-right", "top-left"])
def test_it_stands_in_any_corner(site: Open, corner: str) -> None:
    page = site(f'data-position="{corner}"')
    for side in corner.split("-"):
        assert box_of(page, "launcher")[side] == 20
    Bubble(page).open()
    page.wait_for_timeout(300)
    vertical, horizontal = corner.split("-")
    panel = box_of(page, "panel")
    assert panel[horizontal] == 20
    assert panel[vertical] == 92
    assert min(panel.values()) >= 0


def test_offsets_and_sizes_are_pixels(site: Open) -> None:
    page = site('data-offset-x="0" data-offset-y="40" data-size="64" data-width="420" data-height="500"')
    launcher = box_of(page, "launcher")
    assert [launcher[name] for name in ("right", "bottom", "width", "height")] == [0, 40, 64, 64]
    Bubble(page).open()
    page.wait_for_timeout(300)
    panel = box_of(page, "panel")
    assert [panel["right"], panel["bottom"]] == [0, 40 + 64 + 16]
    assert abs(panel["width"] - 420) <= 2
    assert abs(panel["height"] - 500) <= 2


@pytest.mark.parametrize(
    ("html", "attributes", "side"),
    [
        ("<html dir=rtl lang=en>", "", "left"),
        ("<html dir=rtl lang=en>", 'data-position="bottom-right"', "right"),
        ("<html dir=ltr lang=en>", "", "right"),
    ],
)
def test_a_page_from_right_to_left_has_it_at_the_left_unless_it_chose(
    site: Open, html: str, attributes: str, side: str
) -> None:
    page = site(attributes, html=html)
    assert box_of(page, "launcher")[side] == 20
    Bubble(page).open()
    assert box_of(page, "panel")[side] == 20


def test_the_icon_is_the_pages_shape(site: Open) -> None:
    page = site("data-icon=\"path('M12 2 2 22h20z')\" data-avatar=\"path('M0 0h24v24H0z')\"")
    style = "(name) => getComputedStyle({}, '::before')[name]"
    launcher = "document.querySelector('chat-bubble').shadowRoot.querySelector('.launcher')"
    assert page.evaluate(style.format(launcher), "clipPath") == 'path("M 12 2 L 2 22 H 22 Z")'
    assert page.evaluate(style.format(launcher), "borderRadius") == "0px"
    Bubble(page).open()
    avatar = "document.querySelector('chat-bubble').shadowRoot.querySelector('.assistant-avatar')"
    page.wait_for_function(f"() => ({style.format(avatar)})('clipPath').startsWith('path(\"M 0 0')")


def test_its_name_is_the_pages_or_chat_then_the_full_one(site: Open) -> None:
    page = site()
    launcher = page.locator("chat-bubble [part=launcher]")
    expect(launcher).to_have_accessible_name("Chat")
    launcher.click()
    expect(launcher).to_have_accessible_name("Chat with us")
    page = site('data-label="Ask Ada"')
    launcher = page.locator("chat-bubble [part=launcher]")
    expect(launcher).to_have_accessible_name("Ask Ada")
    launcher.click()
    expect(page.locator("chat-bubble [part=launcher][aria-haspopup]")).to_have_accessible_name("Ask Ada")


def test_custom_properties_and_parts_reach_it(site: Open) -> None:
    css = (
        ":root { --chatbubble-accent: rgb(0, 128, 0); --chatbubble-surface: rgb(255, 250, 240);"
        " --chatbubble-z-index: 7; --chatbubble-radius: 3px; --chatbubble-font: monospace }"
        " chat-bubble::part(launcher) { border-radius: 9px }"
    )
    page = site(head=f"<style>{css}</style>")
    Bubble(page).open()
    page.locator("chat-bubble [part=launcher][aria-haspopup]").wait_for()
    styles = page.evaluate(
        """() => {
            const root = document.querySelector('chat-bubble').shadowRoot;
            const styleOf = (name) => getComputedStyle(root.querySelector(`.${name}`));
            const [launcher, panel] = ['launcher', 'panel'].map(styleOf);
            return [launcher.backgroundColor, launcher.zIndex, launcher.borderRadius,
                    panel.backgroundColor, panel.borderRadius, panel.fontFamily];
        }"""
    )
    assert styles == ["rgb(0, 128, 0)", "7", "9px", "rgb(255, 250, 240)", "3px", "monospace"]


INSIDE = '<div id=room style="width: 500px; height: 400px; margin: 50px"></div>'


def test_it_fills_an_element_of_the_page(site: Open) -> None:
    page = site('data-container="#room"', body=INSIDE)
    chat = Bubble(page)
    expect(chat.input).to_be_visible()
    assert page.evaluate("() => document.activeElement === document.body")
    panel = box_of(page, "panel")
    assert [panel[name] for name in ("left", "top", "width", "height")] == [58, 50, 500, 400]
    expect(page.locator("chat-bubble [part=launcher]")).to_have_count(0)
    expect(page.locator("chat-bubble [part=close]")).to_be_hidden()
    chat.ask("say: Here I am.")
    expect(chat.answers.last).to_have_text("Here I am.")
    page.evaluate("() => { Chatbubble('close'); Chatbubble('toggle'); }")
    expect(chat.input).to_be_visible()


def test_nothing_is_fetched_read_or_stored_before_consent(site: Open, context: BrowserContext, guest: Guest) -> None:
    asked: list[Request] = []
    context.on("request", lambda request: asked.append(request))
    context.add_init_script(
        "for (const name of ['getItem', 'setItem']) { const real = Storage.prototype[name];"
        "Storage.prototype[name] = function (...all) { (window.touched ??= []).push(all[0]);"
        " return real.apply(this, all); }; }"
    )
    page = site('data-consent="required"')
    chat = Bubble(page)
    chat.launcher.hover()
    chat.launcher.click()
    page.evaluate("() => Chatbubble('ask', 'say: After you agreed.')")
    page.wait_for_timeout(200)
    assert [request.url for request in asked if request.url.startswith(guest.stack.widget_origin)] == [guest.script]
    assert page.evaluate("() => window.touched") is None
    expect(chat.panel).to_be_hidden()
    # What was asked for meanwhile is done now.
    page.evaluate("() => Chatbubble('consent', true)")
    expect(chat.answers.last).to_have_text("After you agreed.")


def test_consent_that_is_withdrawn_closes_it(site: Open) -> None:
    page = site('data-consent="required"')
    chat = Bubble(page)
    page.evaluate("() => Chatbubble('consent', true)")
    chat.open()
    page.evaluate("() => Chatbubble('consent', false)")
    expect(chat.panel).to_be_hidden()


def test_the_page_is_not_sent_where_that_is_off(site: Open) -> None:
    page = site('data-page="off"')
    chat = Bubble(page).open()
    with page.expect_request("**/api/ai/chat") as sent:
        chat.ask("say: Where?")
    assert "page" not in (sent.value.post_data_json or {})
    expect(chat.answers.last).to_have_text("Where?")


def test_a_skeleton_stands_within_50_ms_of_the_click(site: Open) -> None:
    page = site()

    def take_time(route: Route) -> None:
        page.wait_for_timeout(700)
        route.continue_()

    page.route("**/assets/chat.*", take_time)
    waited = page.evaluate(
        """async () => {
            const root = document.querySelector('chat-bubble').shadowRoot;
            const [button, panel] = ['launcher', 'panel'].map((name) => root.querySelector(`.${name}`));
            const start = performance.now();
            button.click();
            await new Promise(requestAnimationFrame);
            if (getComputedStyle(panel).visibility !== 'visible' || panel.clientHeight < 400) return Infinity;
            return performance.now() - start;
        }"""
    )
    assert waited < 50
    expect(Bubble(page).input).to_be_visible()


def test_a_chat_that_does_not_come_can_be_tried_again(site: Open, context: BrowserContext) -> None:
    context.expected_errors += ["Failed to", "error loading"]  # type: ignore[attr-defined]
    page = site()
    page.route("**/assets/chat.*", lambda route: route.abort())
    chat = Bubble(page)
    chat.launcher.click()
    retry = page.locator("chat-bubble [part=retry]")
    expect(retry).to_be_enabled()
    expect(retry).to_have_text("↻")
    page.unroute("**/assets/chat.*")
    retry.click()
    expect(chat.input).to_be_visible()
