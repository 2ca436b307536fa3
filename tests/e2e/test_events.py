"""What a page is told of its bubble: to listeners of the global, and on the element."""

from __future__ import annotations

from collections.abc import Callable

from bubble import Bubble, words
from own_site import EVENTS, QUEUE, RECORD, RECORD_ALL, OwnSite, details, names, wait_for
from playwright.sync_api import BrowserContext, Page, expect

Visit = Callable[..., Page]


def test_who_listened_before_the_script_came_hears_of_the_first_opening(visit: Visit, own_site: OwnSite) -> None:
    page = visit(f"{QUEUE}\n{RECORD_ALL}", tag=own_site.tag())
    Bubble(page).open()
    wait_for(page, "open")
    assert page.evaluate("() => told") == [["ready", {}], ["open", {}]]


def test_an_answer_is_told_from_its_question_to_its_end(page: Page) -> None:
    page.evaluate(RECORD_ALL)
    chat = Bubble(page).open()
    chat.ask("answer: 20 tokens at 10 ms")
    wait_for(page, "answer")
    assert names(page) == ["ready", "open", "send", "token", "answer"]
    (send,), (answer,) = details(page, "send"), details(page, "answer")
    assert send["text"] == answer["question"] == "answer: 20 tokens at 10 ms"
    assert (answer["text"].strip(), answer["finishReason"]) == (words(20), "stop")
    text = ""
    for token in details(page, "token"):
        assert token["index"] == len(text)
        assert token["id"] == answer["id"]
        text += token["text"]
    assert text == answer["text"]


def test_the_events_bubble_through_the_page_too(page: Page) -> None:
    page.evaluate(
        f"""() => {{ {RECORD}
            for (const name of {EVENTS})
                document.addEventListener(`chatbubble:${{name}}`, ({{ detail, target, composed }}) =>
                    told.push([name, {{ ...detail, target: target.localName, composed }}])); }}"""
    )
    chat = Bubble(page).open()
    chat.ask("say: Heard.")
    wait_for(page, "answer")
    assert names(page) == ["ready", "open", "send", "token", "answer"]
    (answer,) = details(page, "answer")
    assert (answer["text"], answer["target"], answer["composed"]) == ("Heard.", "chat-bubble", True)


def test_a_failed_answer_is_told_as_an_error(page: Page) -> None:
    page.evaluate(RECORD_ALL)
    Bubble(page).open().ask("fail: 401")
    wait_for(page, "error")
    (error,) = details(page, "error")
    assert (error["code"], error["question"], error["retryable"]) == ("UPSTREAM_REFUSED", "fail: 401", False)
    assert details(page, "answer") == []


def test_a_stopped_answer_is_told_with_what_was_said(page: Page) -> None:
    page.evaluate(RECORD_ALL)
    chat = Bubble(page).open()
    chat.ask("answer: 400 tokens at 25 ms")
    expect(chat.answers.last).to_contain_text("word5")
    page.evaluate("() => Chatbubble('stop')")
    wait_for(page, "answer")
    (answer,) = details(page, "answer")
    assert answer["finishReason"] == "aborted"
    assert answer["text"].startswith("word1 word2")


def test_a_cut_line_is_told_and_so_is_a_whole_one(context: BrowserContext, page: Page) -> None:
    context.expected_errors += ["Failed to load resource", "ERR_"]  # type: ignore[attr-defined]
    page.evaluate(RECORD_ALL)
    chat = Bubble(page).open()
    chat.ask("say: Before.")
    wait_for(page, "answer")
    context.set_offline(True)
    chat.ask("say: Across the gap.")
    wait_for(page, "reconnect")
    context.set_offline(False)
    wait_for(page, "answer", 2)
    connections = [detail["connection"] for detail in details(page, "reconnect")]
    assert connections[0] == "reconnecting"
    assert connections[-1] not in ("reconnecting", "lost")


def test_what_ends_while_the_panel_is_closed_is_unread_until_it_is_opened(page: Page) -> None:
    page.evaluate(RECORD_ALL)
    page.evaluate("() => { Chatbubble('send', 'say: One.'); Chatbubble('send', 'say: Two.'); }")
    wait_for(page, "unread", 2)
    chat = Bubble(page)
    expect(chat.panel).to_be_hidden()
    chat.open()
    wait_for(page, "unread", 3)
    assert [detail["count"] for detail in details(page, "unread")] == [1, 2, 0]


def test_a_listener_that_throws_harms_nobody(context: BrowserContext, page: Page) -> None:
    context.expected_errors.append("The page's own mistake")  # type: ignore[attr-defined]
    page.evaluate(f"() => {{ {RECORD} }}")
    page.evaluate("() => Chatbubble('on', 'token', () => { throw new Error('The page\\'s own mistake'); })")
    page.evaluate("() => { for (const name of ['token', 'answer']) Chatbubble('on', name, record(name)); }")
    chat = Bubble(page).open()
    chat.ask("say: All the same.")
    expect(chat.answers.last).to_have_text("All the same.")
    wait_for(page, "answer")
    assert names(page) == ["token", "answer"]


def test_who_no_longer_listens_is_told_nothing(page: Page) -> None:
    page.evaluate(f"() => {{ {RECORD} window.mine = record('open'); Chatbubble('on', 'open', mine); }}")
    page.evaluate(
        """() => {
            for (const name of ['ready', 'close']) Chatbubble('on', name, record(name));
            Chatbubble('off', 'open', mine);
        }"""
    )
    chat = Bubble(page).open()
    # The part that tells comes after the panel: what was opened and closed before it is there is told to nobody.
    wait_for(page, "ready")
    page.evaluate("() => Chatbubble('close')")
    wait_for(page, "close")
    expect(chat.panel).to_be_hidden()
    assert names(page) == ["ready", "close"]


def test_who_listens_late_is_told_that_it_is_ready_and_how_it_stands(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("say: Early.")
    expect(chat.answers.last).to_have_text("Early.")
    chat.wait_until_answered()
    page.evaluate(f"() => {{ {RECORD} for (const name of ['ready', 'state']) Chatbubble('on', name, record(name)); }}")
    wait_for(page, "state")
    (state,) = details(page, "state")
    assert details(page, "ready") == [{}]
    assert (state["isReady"], state["isOpen"], state["isAnswering"], state["unread"]) == (True, True, False, 0)
    assert [message["text"] for message in state["messages"]] == ["say: Early.", "Early."]


def test_a_rated_answer_is_told(page: Page) -> None:
    page.evaluate(RECORD_ALL)
    chat = Bubble(page).open()
    chat.ask("say: Rate me.")
    expect(chat.answers.last).to_have_text("Rate me.")
    chat.host.get_by_role("button", name="Good answer").last.click()
    wait_for(page, "feedback")
    (feedback,) = details(page, "feedback")
    assert (feedback["rating"], feedback["comment"]) == ("up", "")
    assert feedback["messageId"]
