"""The measurements of `make bench` in short: that they see what they should, never how long it took."""

from __future__ import annotations

import re

import page_load
import parsers
import pytest
import streaming
from figures import Figure, Section, written_into
from measure_page import DOCUMENT, bare_shop
from opening import Approach, after_hover, at_once, open_chat, when_fetched
from playwright.sync_api import Browser
from slow_visitor import visiting
from stack import Stack


def figure(section: Section, what: str) -> Figure:
    """The one line of the section that begins like that."""
    [found] = [each for each in section.figures if each.what.startswith(what)]
    return found


def test_the_page_is_measured_with_the_bubble_and_without_it(browser: Browser, stack: Stack) -> None:
    with bare_shop(stack) as bare:
        with visiting(browser) as page:
            page.goto(bare + "/")
            assert page.locator("script").count() == 0
        section = page_load.measure(browser, stack.site + "/", bare + "/", runs=1, settle_ms=200)
    assert figure(section, "layout shift").is_reached
    assert figure(section, "script evaluation").measured != ""


def test_a_trace_without_the_widget_is_no_measurement() -> None:
    with pytest.raises(ValueError, match=r"does not tell of widget\.js"):
        page_load.script_ms([{"name": "EvaluateScript", "ph": "X", "args": {"data": {"url": "other.js"}}}])


def test_what_lies_inside_something_else_counts_once() -> None:
    where = {"ph": "X", "pid": 1, "tid": 1, "args": {"data": {"url": "/api/ai/widget.js"}}}
    events = [
        {**where, "name": "EvaluateScript", "ts": 1000, "dur": 900},
        {**where, "name": "v8.compile", "ts": 1100, "dur": 300},
        {**where, "name": "FunctionCall", "ts": 5000, "dur": 100},
    ]
    assert page_load.script_ms(events) == 1.0


@pytest.mark.parametrize("approach", [after_hover, when_fetched, at_once])
def test_an_opened_chat_is_seen(approach: Approach, browser: Browser, stack: Stack) -> None:
    seen = open_chat(browser, stack.site + "/", approach)
    assert 0 < seen["focused"] <= seen["usable"]
    assert seen["shown"] > 0


def test_readers_of_markdown_are_compared(browser: Browser) -> None:
    section = parsers.measure(browser, 1, short=100)
    assert len(section.figures) == 2
    [compared] = section.tables
    removed = {row.split(" | ")[0].strip("| "): row.split(" | ")[-1].strip(" |") for row in compared.splitlines()[2:]}
    assert removed.pop("Chatbubble") == removed.pop("streaming-markdown") == "0"
    assert len(removed) == 3
    assert "0" not in removed.values()


def test_an_answer_is_watched_to_its_end(browser: Browser, stack: Stack) -> None:
    text = "Some **words**, and [a link](https://shop.example/track).\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n" * 4
    section = streaming.measure(browser, stack, text, 1, idle_ms=200)
    nodes = figure(section, "nodes once shown")
    assert nodes.is_reached
    assert re.search(r"[1-9]\d* added", nodes.measured)


def test_a_node_that_is_taken_away_is_noticed(browser: Browser, stack: Stack) -> None:
    with streaming.answering(stack, "word " * 100), visiting(browser) as page:
        page.add_init_script("""
            const { appendData } = Text.prototype;
            Text.prototype.appendData = function rewrite(text) {
                this.parentNode.replaceChild(new Text(this.data + text), this);
            };
        """)
        assert streaming.ask(page, stack.site)["removed"] > 0


def test_figures_are_written_between_the_marks_of_the_document() -> None:
    document = DOCUMENT.read_text("utf-8")
    section = Section("Title", "How.", [Figure("what", "1 ms", "2 ms", is_reached=False)])
    written = written_into(document, section.text())
    assert "## Title\n\nHow.\n\n| what | goal | measured | reached |" in written
    assert "| what | 1 ms | 2 ms | **no** |" in written
    assert written.partition("<!--")[0] == document.partition("<!--")[0]


def test_a_document_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the lines"):
        written_into("# Performance", "figures")
