"""The chat in each of its languages: chosen, complete, mirrored where it is read from right to left."""

from __future__ import annotations

import re

import pytest
from bubble import Bubble
from conftest import open_shop
from languages import LOCALES, RIGHT_TO_LEFT, TALKS, answer_with, read_words, write_pages
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect
from stack import Stack

Words = dict[str, dict[str, str]]
MIXED = (
    "say at 1 ms: `npm install` تعني تثبيت الحزم.\n\n"
    "| الاسم | السعر |\n|:--|--:|\n| كتاب | 12 |\n\n```sh\nnpm install\n```"
)


@pytest.fixture(scope="session")
def words() -> Words:
    """What the chat says, by locale and key."""
    return read_words()


@pytest.fixture
def arabic(context: BrowserContext, stack: Stack, words: Words) -> Page:
    """A page in Arabic, its chat open."""
    write_pages(context, {"lang": "ar", "dir": "rtl"})
    page = open_shop(context, stack)
    open_panel(page, words["ar"])
    return page


def open_panel(page: Page, texts: dict[str, str]) -> Locator:
    """Open the chat and wait for its composer, by its name in a language."""
    host = page.locator("chat-bubble")
    host.get_by_role("button").first.click()
    expect(host.get_by_role("textbox", name=texts["message"], exact=True)).to_be_visible()
    return host.get_by_role("dialog")


def middle(locator: Locator) -> float:
    """Where something is, from left to right, in CSS pixels."""
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2


def test_there_are_twenty() -> None:
    assert len(LOCALES) == 20
    assert sorted(TALKS) == LOCALES


@pytest.mark.parametrize("locale", LOCALES)
def test_a_page_in_a_language_has_a_chat_in_it(
    locale: str, context: BrowserContext, stack: Stack, words: Words
) -> None:
    texts = words[locale]
    write_pages(context, {"lang": locale})
    page = open_shop(context, stack)
    panel = open_panel(page, texts)
    question, answer = TALKS[locale]["question"], TALKS[locale]["answer"]
    answer_with(page, {question: f"say at 1 ms: {answer}"})
    expect(panel).to_have_attribute("lang", locale)
    expect(panel).to_have_attribute("dir", "rtl" if locale in RIGHT_TO_LEFT else "ltr")
    expect(panel.get_by_role("button", name=texts["send"], exact=True)).to_be_visible()
    expect(panel.get_by_role("button", name=texts["close"], exact=True)).to_be_visible()
    expect(panel.get_by_text(texts["greeting"])).to_be_visible()
    expect(panel.get_by_role("heading", name=texts["title"], exact=True)).to_be_visible()
    box = panel.get_by_role("textbox")
    box.fill(question)
    box.press("Enter")
    told = panel.locator("[part~=assistant-bubble]").last
    expect(told).to_contain_text(answer.split("\n\n")[-1])
    expect(told.locator("strong")).to_be_visible()
    assert page.evaluate("() => document.querySelector('chat-bubble').shadowRoot.textContent").find("undefined") < 0


@pytest.mark.parametrize("locale", ["en", "de", "fr", "ar", "hi"])
def test_a_limit_is_written_as_the_language_writes_numbers(
    locale: str, context: BrowserContext, stack: Stack, words: Words
) -> None:
    write_pages(context, {"lang": locale})
    page = open_shop(context, stack)
    panel = open_panel(page, words[locale])
    number = page.evaluate("(locale) => new Intl.NumberFormat(locale).format(4000)", locale)
    panel.get_by_role("textbox").fill("x" * 4001)
    expect(panel.get_by_text(words[locale]["tooLong"].replace("{limit}", number))).to_be_visible()


def test_a_limit_is_told_once_its_words_have_come(context: BrowserContext, stack: Stack, words: Words) -> None:
    write_pages(context, {"lang": "de"})
    held: list[Route] = []
    context.route("**/de.more.*", lambda route: held.append(route))
    page = open_shop(context, stack)
    with page.expect_request("**/de.more.*"):
        panel = open_panel(page, words["de"])
    panel.get_by_role("textbox").fill("x" * 4001)
    expect(panel.get_by_role("button", name=words["de"]["send"], exact=True)).to_be_disabled()
    for route in held:
        route.continue_()
    expect(panel.get_by_text("4.000")).to_be_visible()


@pytest.mark.parametrize(
    ("option", "page_language", "browser_language", "spoken"),
    [
        ("", "fr-CA", "de", "fr"),
        ("", "", "pt-PT", "pt-BR"),
        ("", "eo", "uk-UA", "uk"),
        ("", "eo", "sv", "en"),
        ("ja", "fr", "de", "ja"),
        ("eo", "zh-Hant-HK", "de", "zh-TW"),
        ("", "iw", "de", "he"),
    ],
)
def test_the_tag_chooses_then_the_page_then_the_browser(
    option: str, page_language: str, browser_language: str, spoken: str, browser: Browser, stack: Stack, words: Words
) -> None:
    with browser.new_context(locale=browser_language) as context:
        write_pages(context, {"lang": page_language}, {"data-locale": option} if option else {})
        panel = open_panel(open_shop(context, stack), words[spoken])
        expect(panel).to_have_attribute("lang", spoken)


def test_a_panel_from_right_to_left_is_mirrored(arabic: Page, words: Words) -> None:
    chat = Bubble(arabic)
    answer_with(arabic, {"سؤال": "say at 1 ms: جواب."})
    box = chat.panel.get_by_role("textbox")
    box.fill("سؤال")
    box.press("Enter")
    expect(chat.answers.last).to_have_text("جواب.")
    centre = middle(chat.panel)
    assert middle(chat.panel.get_by_role("button", name=words["ar"]["close"], exact=True)) < centre
    assert middle(chat.panel.get_by_role("button", name=words["ar"]["send"], exact=True)) < centre
    assert middle(chat.panel.locator("[part~=assistant-avatar]").first) > centre
    assert middle(chat.questions.last) < centre < middle(chat.answers.last)


def test_in_it_each_text_goes_its_own_way(arabic: Page) -> None:
    chat = Bubble(arabic)
    answer_with(arabic, {"What?": "say at 1 ms: In English.", "ماذا؟": MIXED})
    box = chat.panel.get_by_role("textbox")
    box.fill("What?")
    assert box.evaluate("(input) => getComputedStyle(input).unicodeBidi") == "plaintext"
    box.press("Enter")
    expect(chat.answers.last).to_have_text("In English.")
    assert way(chat.answers.last) == way(chat.questions.last) == "ltr"
    box.fill("ماذا؟")
    box.press("Enter")
    expect(chat.answers.last.locator("pre")).to_have_text("npm install")
    # Code comes first, and has no say.
    assert way(chat.answers.last) == way(chat.questions.last) == "rtl"
    assert way(chat.answers.last.locator("pre")) == way(chat.answers.last.locator("p code")) == "ltr"
    name, price = (chat.answers.last.get_by_role("columnheader", name=name) for name in ("الاسم", "السعر"))
    assert middle(name) > middle(price)
    assert [cell.evaluate("(cell) => getComputedStyle(cell).textAlign") for cell in (name, price)] == ["left", "right"]


def way(locator: Locator) -> str:
    """Which way a text is written."""
    direction: str = locator.evaluate("(element) => getComputedStyle(element).direction")
    return direction


def test_an_arabic_answer_in_an_english_panel_is_arabic(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("say at 1 ms: - واحد\n- اثنان")
    item = chat.answers.last.get_by_role("listitem").last
    expect(item).to_have_text("اثنان")
    assert way(item) == "rtl"
    assert way(chat.panel) == "ltr"


def test_the_page_may_have_words_of_its_own(context: BrowserContext, stack: Stack, words: Words) -> None:
    context.route("**/widget.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page = context.new_page()
    page.goto(f"{stack.site}/")
    own = {"send": "Los", "placeholder": "Na, was?", "tooLong": "Mehr als {limit}!"}
    page.evaluate(
        "async ([address, strings]) => { const { mount } = await import(address); mount({ locale: 'de', strings }); }",
        [f"{stack.widget_origin}/api/ai/widget.mjs", own],
    )
    panel = open_panel(page, words["de"])
    expect(panel.get_by_role("button", name="Los", exact=True)).to_be_visible()
    expect(panel.get_by_role("button", name=words["de"]["close"], exact=True)).to_be_visible()
    box = panel.get_by_role("textbox")
    expect(box).to_have_attribute("placeholder", "Na, was?")
    box.fill("x" * 4001)
    expect(panel.get_by_text(re.compile(r"Mehr als 4\.000!"))).to_be_visible()
