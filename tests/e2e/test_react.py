"""The bubble in a page that real React renders."""

from __future__ import annotations

import os
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import toolchain
from bubble import Bubble
from own_site import OwnSite
from playwright.sync_api import BrowserContext, Page, expect
from stack import Stack

Show = Callable[..., Page]

# Counts what is listened to beyond the page's own nodes, and the elements that are there.
_COUNT = """() => {
    const live = new Map();
    for (const target of [window, document, window.visualViewport]) {
        const { addEventListener, removeEventListener } = target;
        target.addEventListener = (type, call, options) => {
            live.set(call, type);
            options?.signal?.addEventListener('abort', () => live.delete(call));
            return addEventListener.call(target, type, call, options);
        };
        target.removeEventListener = (type, call, options) => {
            live.delete(call);
            return removeEventListener.call(target, type, call, options);
        };
    }
    window.left = () => [live.size, document.querySelectorAll('chat-bubble').length, typeof window.Chatbubble];
}"""


@pytest.fixture(scope="module")
def bundle(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The app, bundled with React from the lock file and with `react.mjs` as the server has it."""
    toolchain.fetch(everything=True)
    folder = tmp_path_factory.mktemp("react")
    source = Path(__file__).with_name("react_app.jsx").read_text("utf-8")
    (folder / "react_app.jsx").write_text(source, "utf-8")
    with urllib.request.urlopen(f"{stack.api}/assets/react.mjs", timeout=10) as answer:
        (folder / "react.mjs").write_bytes(answer.read())
    shape = ["--bundle", "--format=esm", "--jsx=automatic", "--define:process.env.NODE_ENV='development'"]
    command = [str(toolchain.esbuild()), "react_app.jsx", *shape, "--outfile=app.js", "--log-level=warning"]
    subprocess.run(command, cwd=folder, env=os.environ | {"NODE_PATH": str(toolchain.MODULES)}, check=True)
    return (folder / "app.js").read_text("utf-8")


@pytest.fixture
def show(context: BrowserContext, own_site: OwnSite, bundle: str) -> Show:
    """Opens the app on a page, or gives the open one other props."""
    own_site.files["/app.js"] = bundle
    pages: list[Page] = []

    def show(**props: Any) -> Page:
        if not pages:
            pages.append(context.new_page())
            pages[0].goto(own_site.page("<main></main><script type=module src=/app.js></script>"))
            pages[0].evaluate(_COUNT)
        pages[0].evaluate("(props) => shop(props)", {"endpoint": own_site.endpoint, **props})
        return pages[0]

    return show


def test_the_component_shows_a_bubble_that_answers(show: Show) -> None:
    page = show(title="Nell")
    page.get_by_role("button", name="Help").click()
    chat = Bubble(page)
    expect(chat.host.get_by_role("heading", name="Nell")).to_be_visible()
    chat.ask("say: From React.")
    expect(chat.answers.last).to_have_text("From React.")
    page.wait_for_function("() => told.length")
    assert page.evaluate("() => told") == ["Nell: From React."]
    expect(page.locator("main p")).to_have_text("open, calm, 0 unread: From React.")


def test_changed_props_change_the_bubble_that_is_there(show: Show) -> None:
    page = show(title="Nell")
    chat = Bubble(page).open()
    chat.input.fill("Half a question")
    show(title="Ned", accent="#123456")
    expect(chat.host.get_by_role("heading", name="Ned")).to_be_visible()
    expect(chat.launcher).to_have_css("background-color", "rgb(18, 52, 86)")
    expect(chat.input).to_have_value("Half a question")
    chat.ask("say: Changed.")
    page.wait_for_function("() => told.length")
    assert page.evaluate("() => told") == ["Ned: Changed."]
    show()
    expect(chat.host.get_by_role("heading", name="Chat with us")).to_be_visible()


def test_an_option_that_cannot_be_changed_takes_a_new_bubble(show: Show) -> None:
    page = show()
    chat = Bubble(page).open()
    show(locale="zh-CN")
    expect(chat.host.get_by_role("button", name="在线客服")).to_be_visible()
    expect(chat.host).to_have_count(1)


def test_unmounting_leaves_nothing(show: Show) -> None:
    page = show(isThere=False)
    before = page.evaluate("() => left()")
    for _ in range(3):
        show(isThere=True)
        Bubble(page).open()
        show(isThere=False)
        expect(page.locator("chat-bubble")).to_have_count(0)
    assert page.evaluate("() => left()") == before
    expect(page.get_by_role("button", name="Help")).to_be_disabled()


def test_unmounting_before_the_script_came_leaves_nothing(show: Show) -> None:
    page = show(isThere=True)
    show(isThere=False)
    page.wait_for_timeout(500)
    assert page.evaluate("() => left()")[1:] == [0, "undefined"]


def test_strict_mode_shows_one_bubble_and_tells_each_answer_once(show: Show) -> None:
    page = show(isStrict=True)
    chat = Bubble(page).open()
    expect(chat.host).to_have_count(1)
    chat.ask("say: Once.")
    expect(chat.answers.last).to_have_text("Once.")
    chat.wait_until_answered()
    page.wait_for_function("() => told.length")
    assert page.evaluate("() => told") == [": Once."]
