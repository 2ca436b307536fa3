"""What can be done with a message: copy, again, thumbs, edit."""

from __future__ import annotations

from bubble import Bubble
from playwright.sync_api import BrowserContext, Locator, Page, expect
from script import answer_with, reply_to, wait_for


def actions(chat: Bubble, index: int = -1) -> Locator:
    """The buttons under one of the answers."""
    return chat.host.locator("[part~=assistant-message]").nth(index).locator("[part~=actions]")


def test_an_answer_is_copied_as_it_was_written(context: BrowserContext, page: Page) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat = Bubble(page).open()
    chat.ask("say: Some **bold** words and a [link](https://shop.example/).")
    copy = chat.host.get_by_role("button", name="Copy answer")
    copy.click()
    expect(chat.host.get_by_role("button", name="Copied").or_(copy.filter(has_text="Copied"))).to_be_visible()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == "Some **bold** words and a [link](https://shop.example/)."
    expect(copy).not_to_have_text("Copied", timeout=5_000)


def test_the_last_answer_can_be_given_again(page: Page) -> None:
    chat = Bubble(page).open()
    chat.ask("say: One.")
    chat.wait_until_answered()
    chat.ask("say: Two.")
    expect(chat.answers.last).to_have_text("Two.")
    again = chat.host.get_by_role("button", name="Answer again")
    expect(again).to_have_count(1)
    again.click()
    expect(chat.input).to_be_focused()
    expect(chat.questions).to_have_text(["say: One.", "say: Two."])
    expect(again).to_be_visible()
    expect(chat.answers.last).to_have_text("Two.")
    expect(chat.questions).to_have_count(2)


def test_older_answers_show_their_buttons_to_the_pointer_and_the_focus(page: Page) -> None:
    chat = Bubble(page).open()
    for text in ("One.", "Two."):
        chat.ask(f"say: {text}")
        expect(chat.answers.last).to_have_text(text)
        chat.wait_until_answered()
    older, last = actions(chat, -2), actions(chat)
    expect(last).to_have_css("opacity", "1")
    expect(older).to_have_css("opacity", "0")
    chat.answers.nth(-2).hover()
    expect(older).to_have_css("opacity", "1")
    chat.input.hover()
    expect(older).to_have_css("opacity", "0")
    older.get_by_role("button").first.focus()
    expect(older).to_have_css("opacity", "1")


def test_a_thumb_is_told_to_the_server_and_taken_back(page: Page) -> None:
    asked = answer_with(page, "Yes.")
    heard = reply_to(page, "feedback", 204)
    chat = Bubble(page).open()
    chat.ask("Is that so?")
    up, down = (chat.host.get_by_role("button", name=name) for name in ("Good answer", "Bad answer"))
    up.click()
    expect(up).to_have_attribute("aria-pressed", "true")
    down.click()
    expect(up).to_have_attribute("aria-pressed", "false")
    expect(down).to_have_attribute("aria-pressed", "true")
    down.click()
    expect(down).to_have_attribute("aria-pressed", "false")
    wait_for(page, heard, 3)
    assert [body["rating"] for body in heard] == ["up", "down", None]
    assert {body["messageId"] for body in heard} == {f"answer-{len(asked)}"}


def test_a_thumb_is_still_there_after_a_reload(page: Page) -> None:
    page.evaluate("() => Chatbubble('on', 'feedback', (detail) => { window.told = detail; })")
    chat = Bubble(page).open()
    chat.ask("say: Yes.")
    down = chat.host.get_by_role("button", name="Bad answer")
    with page.expect_response("**/feedback") as told:
        down.click()
    assert told.value.status == 204
    page.wait_for_function("() => window.told?.rating === 'down' && window.told.comment === ''")
    page.reload()
    chat.open()
    expect(chat.answers.last).to_have_text("Yes.")
    expect(down).to_have_attribute("aria-pressed", "true")
    expect(chat.host.get_by_role("textbox", name="What was wrong?")).to_be_hidden()


def test_after_thumbs_down_one_may_say_why(page: Page) -> None:
    answer_with(page, "No.")
    heard = reply_to(page, "feedback", 204, 503, 204)
    page.context.expected_errors.append("503")  # type: ignore[attr-defined]
    chat = Bubble(page).open()
    chat.ask("Is that so?")
    chat.host.get_by_role("button", name="Bad answer").click()
    why = chat.host.get_by_role("textbox", name="What was wrong?")
    why.fill("It is not true.")
    why.press("Enter")
    expect(chat.host.get_by_text("That was not sent. Please try again.").first).to_be_visible()
    expect(why).to_have_value("It is not true.")
    why.press("Enter")
    expect(chat.host.get_by_text("Thank you, that helps.").first).to_be_visible()
    expect(why).to_be_hidden()
    expect(chat.host.get_by_role("button", name="Bad answer")).to_be_focused()
    assert heard[-1] == {"messageId": "answer-1", "rating": "down", "comment": "It is not true."}


def test_a_thumb_that_did_not_arrive_says_so(page: Page) -> None:
    answer_with(page, "No.")
    reply_to(page, "feedback", 503, 204)
    page.context.expected_errors.append("503")  # type: ignore[attr-defined]
    chat = Bubble(page).open()
    chat.ask("Is that so?")
    up = chat.host.get_by_role("button", name="Good answer")
    up.click()
    failure = chat.transcript.get_by_text("That was not sent. Please try again.")
    expect(failure).to_be_visible()
    expect(up).to_have_attribute("aria-pressed", "false")
    up.click()
    expect(up).to_have_attribute("aria-pressed", "true")
    expect(failure).to_be_hidden()


def test_escape_closes_the_word_on_what_was_wrong_and_not_the_panel(page: Page) -> None:
    answer_with(page, "No.")
    reply_to(page, "feedback", 204)
    chat = Bubble(page).open()
    chat.ask("Is that so?")
    chat.host.get_by_role("button", name="Bad answer").click()
    why = chat.host.get_by_role("textbox", name="What was wrong?")
    why.focus()
    page.keyboard.press("Escape")
    expect(why).to_be_hidden()
    expect(chat.panel).to_be_visible()


def test_the_last_question_can_be_edited(page: Page) -> None:
    asked = answer_with(page, "Yes.")
    chat = Bubble(page).open()
    chat.ask("Do you ship to Norwy?")
    chat.host.get_by_role("button", name="Edit question").click()
    expect(chat.input).to_be_focused()
    expect(chat.input).to_have_value("Do you ship to Norwy?")
    expect(chat.host.get_by_text("Editing your question")).to_be_visible()
    chat.ask("Do you ship to Norway?")
    expect(chat.questions).to_have_text(["Do you ship to Norway?"])
    expect(chat.answers.last).to_have_text("Yes.")
    expect(chat.host.get_by_text("Editing your question")).to_be_hidden()
    wait_for(page, asked, 2)
    assert asked[1]["replaces"] == asked[0]["requestId"]
    chat.ask("And to Sweden?")
    expect(chat.questions).to_have_count(2)
    wait_for(page, asked, 3)
    assert "replaces" not in asked[2]


def test_escape_gives_back_what_was_being_written(page: Page) -> None:
    answer_with(page, "Yes.")
    chat = Bubble(page).open()
    chat.ask("First?")
    chat.wait_until_answered()
    chat.input.fill("half a thou")
    chat.host.get_by_role("button", name="Edit question").click()
    expect(chat.input).to_have_value("First?")
    page.keyboard.press("Escape")
    expect(chat.input).to_have_value("half a thou")
    expect(chat.panel).to_be_visible()
    expect(chat.host.get_by_text("Editing your question")).to_be_hidden()


def test_the_page_asks_beside_an_edited_question(page: Page) -> None:
    asked = answer_with(page, "Yes.")
    chat = Bubble(page).open()
    chat.ask("First?")
    chat.host.get_by_role("button", name="Edit question").click()
    page.evaluate("() => Chatbubble('ask', 'From the page?')")
    expect(chat.questions).to_have_text(["First?", "From the page?"])
    wait_for(page, asked, 2)
    assert "replaces" not in asked[1]
