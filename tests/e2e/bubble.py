"""The chat as a visitor finds it: by roles and names, never by class or position."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

# Its short name, then its full one, and what is unread.
LAUNCHER = re.compile("^Chat")


class Bubble:
    """The bubble of one page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.host = page.locator("chat-bubble")
        self.launcher = self.host.get_by_role("button", name=LAUNCHER).and_(page.locator("[part=launcher]"))
        self.panel = self.host.get_by_role("dialog")
        self.transcript = self.host.get_by_role("log")
        self.input = self.host.get_by_role("textbox", name="Your message")
        self.send = self.host.get_by_role("button", name="Send", exact=True)
        self.stop = self.host.get_by_role("button", name="Stop", exact=True)
        self.retry = self.host.get_by_role("button", name="Try again")
        self.questions = self.transcript.locator("[part~=visitor-bubble]")
        self.answers = self.transcript.locator("[part~=assistant-bubble]")

    def open(self) -> Bubble:
        """Click the bubble and wait for the composer."""
        self.launcher.click()
        expect(self.input).to_be_visible()
        return self

    def opens_itself(self) -> Bubble:
        """Wait for a panel that was open when an answer was running, on the page before this one."""
        expect(self.input).to_be_visible()
        return self

    def ask(self, text: str) -> None:
        """Type a question and press Enter."""
        self.input.fill(text)
        self.input.press("Enter")

    def wait_until_answered(self) -> None:
        """Wait until no answer is running."""
        expect(self.stop).to_be_hidden(timeout=15_000)

    def answer_text(self, index: int = -1) -> str:
        """What an answer's bubble shows, white space folded."""
        return re.sub(r"\s+", " ", self.answers.nth(index).inner_text()).strip()


def words(count: int) -> str:
    """What the scripted model says to `answer: <count> tokens at ...`."""
    return " ".join(f"word{number}" for number in range(1, count + 1))
