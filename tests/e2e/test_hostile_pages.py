"""Pages that are hard on a guest, and what the guest leaves behind: nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from bubble import Bubble
from guest import Guest
from playwright.sync_api import BrowserContext, Page, expect
from stack import Stack

# Counts what our scripts register on the page's own objects; the bubble's nodes are its own business.
COUNT_LISTENERS = """<script>
window.listening = new Map();
for (const [name, step] of [['addEventListener', 1], ['removeEventListener', -1]]) {
  const real = EventTarget.prototype[name];
  EventTarget.prototype[name] = function (type, listener, options) {
    const isOurs = new Error().stack.includes('/api/ai/');
    if (isOurs && (this === window || this instanceof Document || (this instanceof Node && document.contains(this)))) {
      const count = (by) => listening.set(type, (listening.get(type) ?? 0) + by);
      count(step);
      if (step > 0) options?.signal?.addEventListener('abort', () => count(-1));
    }
    return real.call(this, type, listener, options);
  };
}
</script>"""
TRACES = """() => {
  const own = (object) => Reflect.ownKeys(object).map(String).sort();
  return {
    globals: own(window).filter((name) => !/^\\d+$/.test(name)),
    prototypes: [Object, Array, Function, String, Promise, Element, EventTarget].map(({ prototype }) => own(prototype)),
    listeners: [...listening].filter(([, count]) => count !== 0).sort(),
    head: document.head.outerHTML,
    body: [...document.body.children].map((node) => node.localName),
    attributes: [document.documentElement, document.body].map((node) => node.getAttributeNames()),
    sheets: [document.styleSheets.length, document.adoptedStyleSheets.length],
    scroll: [scrollX, scrollY],
    storage: [localStorage.length, sessionStorage.length, document.cookie],
    history: history.length,
    title: document.title,
  };
}"""


def load(page: Page, address: str) -> None:
    """Put the script tag on the page, and wait for the bubble."""
    page.evaluate(
        """(src) => { const tag = document.createElement('script'); tag.async = true; tag.src = src;
            document.head.append(tag); tag.onload = () => tag.remove(); }""",
        address,
    )
    page.locator("chat-bubble").wait_for(state="attached", timeout=10_000)


def test_one_global_and_one_element_and_after_destroy_nothing(context: BrowserContext, guest: Guest) -> None:
    page = context.new_page()
    page.goto(guest.put("<p style='height: 3000px'>Long</p>", head=COUNT_LISTENERS))
    page.evaluate("() => scrollTo(0, 700)")
    before = page.evaluate(TRACES)
    load(page, guest.script)
    page.wait_for_function("() => !document.querySelector('head script[src]')")
    mounted = page.evaluate(TRACES)
    assert set(mounted["globals"]) - set(before["globals"]) == {"Chatbubble"}
    assert mounted["body"] == [*before["body"], "chat-bubble"]
    told = ("globals", "body")
    assert {key: value for key, value in mounted.items() if key not in told} == {
        key: value for key, value in before.items() if key not in told
    }
    # Not by a click: Playwright listens on the page for where it goes.
    page.evaluate("() => Chatbubble('open')")
    expect(Bubble(page).input).to_be_visible()
    page.locator("chat-bubble [part=launcher][aria-haspopup]").wait_for()
    page.evaluate("() => Chatbubble('destroy')")
    page.wait_for_timeout(300)
    assert page.evaluate(TRACES) == before


UNSET = (
    "<style>* { all: unset !important } button, dialog, div { display: none !important; color: red !important }</style>"
)
POLLUTED = """<script>
Object.prototype.class = 'x'; Object.prototype.extra = function () {}; Array.prototype.extra = function () {};
Object.prototype.title = 'polluted'; String.prototype.extra = 1;
const each = function (run) { for (let at = 0; at < this.length; at++) run(this[at], at); return this; };
Array.prototype.each = each;
Array.prototype.map = function (run, self) {
  const made = [];
  each.call(this, (value, at) => made.push(run.call(self, value, at)));
  return made;
};
Array.prototype.toJSON = undefined;
</script>"""
JQUERY = """<script>
const old = window.$; window.$ = window.jQuery = function (query) { return document.querySelectorAll(query); };
$.noConflict = () => { window.$ = old; return window.jQuery; }; $.fn = {}; $.noConflict();
</script>"""
AMD = "<script>window.define = () => { throw new Error('defined'); }; define.amd = {}; </script>"


@pytest.mark.parametrize(
    "head",
    [UNSET, POLLUTED, JQUERY, AMD, "<base href='https://elsewhere.example/deep/'>"],
    ids=["all-unset", "polluted", "jquery", "amd", "base"],
)
def test_it_answers_on_a_hostile_page(context: BrowserContext, guest: Guest, head: str) -> None:
    page = guest.open(context, "<div>Host</div>" + guest.tag(), head=head)
    chat = Bubble(page).open()
    box = chat.panel.bounding_box()
    assert box is not None
    assert box["width"] > 300
    chat.ask("say: **Fine** here.")
    expect(chat.answers.last).to_have_text("Fine here.")
    expect(chat.answers.last.locator("strong")).to_have_text("Fine")


def test_it_answers_in_a_frame(context: BrowserContext, guest: Guest) -> None:
    inner = guest.put(guest.tag(), path="/inner")
    page = context.new_page()
    page.goto(guest.put(f"<iframe src='{inner}' width=700 height=700></iframe>"))
    host = page.frame_locator("iframe").locator("chat-bubble")
    host.locator("[part=launcher]").click()
    host.get_by_role("textbox").fill("say: Framed.")
    host.get_by_role("textbox").press("Enter")
    expect(host.locator("[part~=assistant-bubble]").last).to_have_text("Framed.")


SWAPS = {
    "a hundred routes": """async () => {
        for (let at = 0; at < 100; at++) {
            history.pushState({}, '', `/route/${at}`);
            document.body.innerHTML = `<main>Route ${at}</main>`;
            await new Promise((done) => setTimeout(done, at % 10 ? 0 : 30));
        }
    }""",
    "another body": """() => {
        const next = document.createElement('body');
        next.append('Next');
        document.documentElement.replaceChild(next, document.body);
    }""",
}


@pytest.mark.parametrize("swap", SWAPS.values(), ids=SWAPS.keys())
def test_it_outlives_the_body_it_was_put_in(context: BrowserContext, guest: Guest, swap: str) -> None:
    page = guest.open(context, "<main>First</main>" + guest.tag())
    chat = Bubble(page).open()
    chat.ask("answer: 40 tokens at 20 ms")
    expect(chat.answers.last).to_contain_text("word3")
    page.evaluate(swap)
    expect(chat.answers.last).to_contain_text("word40", timeout=10_000)
    expect(page.locator("chat-bubble")).to_have_count(1)
    expect(chat.input).to_be_visible()
    page.evaluate("() => Chatbubble('destroy')")
    page.evaluate(swap)
    page.wait_for_timeout(100)
    expect(page.locator("chat-bubble")).to_have_count(0)


def test_it_works_after_the_back_forward_cache(context: BrowserContext, guest: Guest) -> None:
    page = guest.open(context, guest.tag())
    chat = Bubble(page).open()
    page.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    chat.ask("say: Back again.")
    expect(chat.answers.last).to_have_text("Back again.")


def test_two_bubbles_with_servers_of_their_own_share_a_page(
    context: BrowserContext, guest: Guest, tmp_path: Path
) -> None:
    other = Stack(tmp_path, model_port=guest.stack.model_port)
    with other.backend(ALLOWED_ORIGINS=guest.stack.site):
        page = guest.open(context, guest.tag('data-position="bottom-left"'))
        page.evaluate(
            """async ([address, endpoint]) => {
                const { mount } = await import(address);
                window.other = mount({ endpoint, title: undefined, width: null });
                window.third = mount({ position: 'top-left' });
            }""",
            [guest.script.replace(".js", ".mjs"), other.api],
        )
        expect(page.locator("chat-bubble")).to_have_count(3)
        page.evaluate("() => { other.ask('say: The second.'); Chatbubble('ask', 'say: The first.'); }")
        for index, text in enumerate(("The first.", "The second.")):
            answers = (
                page.locator("chat-bubble").nth(index).locator("[part~=visitor-message] ~ [part~=assistant-message]")
            )
            expect(answers).to_have_count(1)
            expect(answers.locator("[part~=assistant-bubble]")).to_have_text(text, timeout=10_000)
        page.evaluate("() => { other.destroy(); third.destroy(); }")
        expect(page.locator("chat-bubble")).to_have_count(1)
        assert page.evaluate("() => typeof Chatbubble") == "function"
