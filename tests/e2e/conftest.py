"""Chromium on the demo shop, with a real backend and a scripted model behind it.

These tests run in a pytest process of their own: Playwright keeps an event loop that does
not go together with gevent's patches.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# The proxies of the backend's tests; behind our own modules.
sys.path.append(str(Path(__file__).parents[1] / "backend"))

from guest import Guest, guest_site
from own_site import OwnSite, serving
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright
from stack import ROOT, Stack, fetch_json

ARTEFACTS = ROOT / "artefacts"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Model, backend and shop, shared by all tests: every browser context is a new visitor."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    with stack.model(), stack.backend(), stack.shop():
        yield stack


@pytest.fixture
def own_site(stack: Stack) -> Iterator[OwnSite]:
    """A site beside the shop, without a policy, whose pages are what the test says."""
    with serving(stack) as site:
        yield site


@pytest.fixture
def visit(context: BrowserContext, own_site: OwnSite) -> Callable[..., Page]:
    """Opens a page of one's own: a script before the tag, the tag, a module that has `mount`."""

    def visit(script: str = "", *, tag: str = "", module: str = "") -> Page:
        own = f"<script type=module>import {{ mount }} from '{own_site.endpoint}/widget.mjs'; {module}</script>"
        page = context.new_page()
        page.goto(own_site.page(f"<script>{script}</script>", tag, own if module else ""))
        return page

    return visit


@pytest.fixture(scope="session")
def guest(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """A site of any pages, with a backend of its own."""
    with guest_site(stack.model_port, tmp_path_factory.mktemp("guest")) as guest:
        yield guest


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver."""
    with sync_playwright() as playwright:
        yield playwright


def chromium() -> str | None:
    """The path of the system's Chromium; None where Playwright's own has to do."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The system's Chromium where there is one, else Playwright's own."""
    browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def context(browser: Browser, stack: Stack) -> Iterator[BrowserContext]:
    """One new visitor. Fails the test when any of their pages wrote an error or broke the shop's policy."""
    fetch_json(f"{stack.site}/csp-reports", method="DELETE")
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(f"uncaught: {error.error}"))
    context.on(
        "console",
        lambda message: errors.append(f"{message.type}: {message.text}") if message.type in _LOUD else None,
    )
    expected: list[str] = []
    context.expected_errors = expected  # type: ignore[attr-defined]
    yield context
    context.close()
    unexpected = [error for error in errors if not any(words in error for words in expected)]
    assert not unexpected
    assert fetch_json(f"{stack.site}/csp-reports")["reports"] == []


_LOUD = {"error", "warning", "assert"}


@pytest.fixture
def page(context: BrowserContext, stack: Stack) -> Page:
    """The shop's first page, loaded, its bubble visible."""
    return open_shop(context, stack)


def open_shop(context: BrowserContext, stack: Stack, path: str = "/", *, by_link: bool = False) -> Page:
    """Open a page of the shop and wait for its bubble; `by_link` of another page of the shop."""
    page = context.new_page()
    page.goto(stack.site + path, referer=f"{stack.site}/" if by_link else None)
    page.locator("chat-bubble").get_by_role("button").first.wait_for()
    return page


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots go."""
    ARTEFACTS.mkdir(exist_ok=True)
    return ARTEFACTS
