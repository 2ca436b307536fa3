"""Takes a picture of every state, language and theme, for people to look at: `artefacts/sheet/index.html`.

All of it takes minutes: `make pictures`. Among the other tests two looks and two languages stand for the rest.
"""

from __future__ import annotations

import html
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import open_shop
from languages import LOCALES, TALKS, answer_with, write_pages
from playwright.sync_api import Browser, BrowserContext, FloatRect, Locator, Page, expect
from stack import Stack

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
# 1280 by 1024 under 400 % zoom, as WCAG's reflow criterion has it.
ZOOMED: dict[str, Any] = {"viewport": {"width": 320, "height": 256}}
# Of a desktop's window, what the chat is in, with a little of the page around.
CORNER: FloatRect = {"x": 840, "y": 30, "width": 440, "height": 770}
LEFT_CORNER: FloatRect = {**CORNER, "x": 0}

LOOKS: dict[str, tuple[str, dict[str, Any]]] = {
    "desktop": ("en", DESKTOP),
    "desktop-dark": ("en", {**DESKTOP, "color_scheme": "dark"}),
    "desktop-forced-colours": ("en", {**DESKTOP, "forced_colors": "active"}),
    "desktop-arabic": ("ar", DESKTOP),
    "phone": ("en", PHONE),
    "phone-dark": ("en", {**PHONE, "color_scheme": "dark"}),
    "phone-hebrew": ("he", PHONE),
    "zoom-400": ("en", ZOOMED),
}


IS_WHOLE = "CHATBUBBLE_PICTURES" in os.environ
LOOKS_HERE = list(LOOKS) if IS_WHOLE else ["desktop-arabic", "zoom-400"]
LOCALES_HERE = LOCALES if IS_WHOLE else ["hi", "ru"]


@pytest.fixture(scope="module")
def sheet(artefacts: Path) -> Iterator[Path]:
    """The folder of the pictures, new; in the end a page shows all of them."""
    folder = artefacts / "sheet"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    yield folder
    (folder / "index.html").write_text(contact_sheet(sorted(folder.glob("*/*.png"))), "utf-8")


def contact_sheet(pictures: list[Path]) -> str:
    """One page with all pictures, by folder."""
    rows: dict[str, list[str]] = {}
    for picture in pictures:
        row, name = html.escape(picture.parent.name), html.escape(picture.stem)
        image = f'<img src="{row}/{picture.name}" alt="" loading="lazy">'
        rows.setdefault(row, []).append(f"<figure>{image}<figcaption>{name}</figcaption></figure>")
    body = "".join(f"<h2>{row}</h2><div>{''.join(figures)}</div>" for row, figures in rows.items())
    style = "body{font:14px system-ui;margin:24px;background:#ccc}div{display:flex;flex-wrap:wrap;gap:16px}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Chatbubble</title>'
        f"<style>{style}figure{{margin:0}}img{{max-height:560px;box-shadow:0 1px 4px #0006}}</style>{body}</html>\n"
    )


class Sitter:
    """The chat of one page, which goes from pose to pose and has its picture taken."""

    def __init__(self, page: Page, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.page, self.folder = page, folder
        self.taken = 0
        self.host = page.locator("chat-bubble")
        self.input = self.host.get_by_role("textbox")
        self.answers = self.part("assistant-bubble")
        self.stop = self.part("stop")

    def part(self, name: str) -> Locator:
        """What is called so in our style sheets, in any language."""
        return self.host.locator(f"[part~={name}]")

    def take(self, name: str) -> None:
        """Take a picture once nothing moves in or fades any more."""
        self.page.wait_for_timeout(350)
        self.taken += 1
        panel = self.part("panel").bounding_box()
        size = self.page.viewport_size
        clip = None
        if size and size["width"] == DESKTOP["viewport"]["width"]:
            clip = LEFT_CORNER if panel and panel["x"] < size["width"] / 2 else CORNER
        self.page.screenshot(path=self.folder / f"{self.taken:02}-{name}.png", clip=clip)

    def open(self) -> None:
        """Open the panel."""
        self.part("launcher").click()
        expect(self.input).to_be_visible()
        expect(self.answers).not_to_be_empty()

    def ask(self, question: str) -> None:
        """Ask, and leave the rest to come."""
        self.input.fill(question)
        self.input.press("Enter")

    def wait_until_answered(self) -> None:
        """Wait until no answer is running."""
        expect(self.stop).to_be_hidden(timeout=20_000)


@pytest.mark.parametrize("look", LOOKS_HERE)
def test_every_state_sits_for_its_picture(look: str, browser: Browser, stack: Stack, sheet: Path) -> None:
    locale, options = LOOKS[look]
    with browser.new_context(**options) as context:
        write_pages(context, {"lang": locale, "dir": "rtl" if locale in ("ar", "he") else "ltr"})
        sitter = Sitter(open_shop(context, stack), sheet / look)
        talk = TALKS[locale]
        stream, rich, cut, offline = talk["later"]
        phrases = {
            talk["question"]: "stall",
            stream: "say at 40 ms: " + "\n\n".join([talk["answer"]] * 9),
            rich: f"say at 1 ms: {talk['rich']}",
            cut: "answer: 12 tokens at 5 ms then cut",
            offline: f"say at 1 ms: {talk['answer']}",
        }
        answer_with(sitter.page, phrases)
        before_asking(sitter)
        while_answering(sitter, talk["question"], stream, rich)
        in_trouble(sitter, context, cut, offline)
        assert sitter.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def before_asking(sitter: Sitter) -> None:
    """Closed, open, with a menu, with a question that is too long."""
    sitter.take("closed")
    sitter.open()
    sitter.take("greeting")
    menu = sitter.host.locator("[aria-haspopup=menu]")
    if menu.count():
        menu.click()
        sitter.take("menu")
        sitter.page.keyboard.press("Escape")
    sitter.input.fill("12345678 " * 500)
    sitter.take("too-long")
    sitter.input.fill("")


def while_answering(sitter: Sitter, stall: str, stream: str, rich: str) -> None:
    """Typing, streaming, stopped, done."""
    sitter.ask(stall)
    sitter.take("typing")
    sitter.stop.click()
    sitter.ask(stream)
    expect(sitter.answers.last.locator("li").last).to_be_visible(timeout=20_000)
    sitter.take("streaming")
    sitter.stop.click()
    sitter.take("stopped")
    sitter.ask(rich)
    expect(sitter.answers.last).to_contain_text("🙂", timeout=20_000)
    sitter.wait_until_answered()
    sitter.take("done")
    sitter.part("transcript").evaluate("(log) => log.scrollBy(0, 9999)")
    sitter.take("done-end")


def in_trouble(sitter: Sitter, context: BrowserContext, cut: str, offline: str) -> None:
    """Failed, reconnecting, offline, and all that was said before."""
    sitter.ask(cut)
    expect(sitter.part("error")).to_be_visible(timeout=20_000)
    sitter.wait_until_answered()
    sitter.take("error")
    sitter.page.route("**/api/ai/chat", refuse := lambda route: route.abort())
    sitter.ask(offline)
    expect(sitter.part("status")).to_be_visible(timeout=20_000)
    sitter.take("reconnecting")
    sitter.page.unroute("**/api/ai/chat", refuse)
    expect(sitter.part("status")).to_be_hidden(timeout=20_000)
    sitter.wait_until_answered()
    context.set_offline(True)
    sitter.ask(offline)
    expect(sitter.part("status")).to_be_visible(timeout=20_000)
    sitter.take("offline")
    context.set_offline(False)
    expect(sitter.part("status")).to_be_hidden(timeout=20_000)
    sitter.wait_until_answered()
    sitter.part("transcript").evaluate("(log) => log.scrollTo(0, 0)")
    sitter.take("long-conversation")


@pytest.mark.parametrize("locale", LOCALES_HERE)
def test_every_language_sits_for_its_picture(locale: str, browser: Browser, stack: Stack, sheet: Path) -> None:
    with browser.new_context(**DESKTOP) as context:
        write_pages(context, {"lang": locale, "dir": "rtl" if locale in ("ar", "he") else "ltr"})
        sitter = Sitter(open_shop(context, stack), sheet / "languages")
        question, answer = TALKS[locale]["question"], TALKS[locale]["answer"]
        answer_with(sitter.page, {question: f"say at 1 ms: {answer}"})
        sitter.open()
        sitter.ask(question)
        expect(sitter.answers.last).to_contain_text(answer.split("\n\n")[-1])
        sitter.wait_until_answered()
        sitter.take(locale)
