"""Chromium, Firefox and WebKit as these tests see them: one window each, which opens pages and tells what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from playwright.sync_api import Page, sync_playwright
from stack import free_port
from webdriver import Http, Marionette, Session

_CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip
# A fresh profile phones home, asks and updates; none of it belongs to a test.
_FIREFOX_PREFERENCES: dict[str, bool | int | str] = {
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


class EngineMissing(Exception):
    """This machine has no such browser; the text names what is missing."""


class Browser(Protocol):
    """A window."""

    def open(self, url: str) -> None:
        """Go to a page; returns when it was loaded."""

    def text(self, selector: str) -> str:
        """The text of the first element that the CSS selector finds."""

    def press(self, keys: Sequence[str]) -> None:
        """Type: each entry is text, or the name of a key, with `Shift+` before it where that is held meanwhile."""


class _Chromium:
    def __init__(self, page: Page) -> None:
        self._page = page

    def open(self, url: str) -> None:
        self._page.goto(url)

    def text(self, selector: str) -> str:
        return self._page.inner_text(selector)

    def press(self, keys: Sequence[str]) -> None:
        for entry in keys:
            if re.fullmatch(r"(Shift\+)?(Enter|Escape|F6|Tab)", entry):
                self._page.keyboard.press(entry)
            else:
                self._page.keyboard.type(entry)


@contextmanager
def _chromium(_: Path) -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    with sync_playwright() as playwright:
        if path is None and not Path(playwright.chromium.executable_path).exists():
            raise EngineMissing("neither chromium nor google-chrome is on the PATH, nor has Playwright one of its own")
        browser = playwright.chromium.launch(executable_path=path, args=_CHROMIUM_FLAGS)
        yield _Chromium(browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB"))
        browser.close()


@contextmanager
def _firefox(folder: Path) -> Iterator[Browser]:
    program = _find("firefox", "firefox-esr")
    port = free_port()
    lines = {**_FIREFOX_PREFERENCES, "marionette.port": port, "intl.accept_languages": "en-GB"}
    texts = (f'user_pref("{name}", {_in_javascript(value)});\n' for name, value in lines.items())
    (folder / "user.js").write_text("".join(texts), "utf-8")
    command = [program, "--headless", "--marionette", "--no-remote", "--profile", str(folder)]
    with _process(command, MOZ_HEADLESS_WIDTH="1280", MOZ_HEADLESS_HEIGHT="900"):
        wire = Marionette(port)
        yield Session(wire, {})
        wire.close()


@contextmanager
def _webkit(_: Path) -> Iterator[Browser]:
    driver, screen, mini_browser = _find("WebKitWebDriver"), _find("Xvfb"), _find_mini_browser()
    port = free_port()
    with _display(screen) as display, _process([driver, f"--port={port}"], DISPLAY=display, LANG="en_GB.UTF-8"):
        options = {"binary": mini_browser, "args": ["--automation"]}
        session = Session(Http(port), {"browserName": "MiniBrowser", "webkitgtk:browserOptions": options})
        yield session
        session.close()


ENGINES: dict[str, Callable[[Path], AbstractContextManager[Browser]]] = {
    "chromium": _chromium,
    "firefox": _firefox,
    "webkit": _webkit,
}


def _find(*names: str) -> str:
    for path in map(shutil.which, names):
        if path:
            return path
    raise EngineMissing(f"not on the PATH: {' or '.join(names)}")


def _find_mini_browser() -> str:
    found = sorted(Path("/usr").glob("lib*/**/webkit2gtk-4.*/MiniBrowser"))
    if not found:
        raise EngineMissing("no MiniBrowser in a webkit2gtk-4.* folder below /usr/lib")
    return str(found[-1])


def _in_javascript(value: bool | int | str) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


@contextmanager
def _display(screen: str) -> Iterator[str]:
    """A display that nobody sees; the server picks a free number and tells it."""
    reading, writing = os.pipe()
    command = [screen, "-displayfd", str(writing), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    with ExitStack() as ending:
        ending.enter_context(_process(command, kept=(writing,)))
        os.close(writing)
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        yield f":{number}"


@contextmanager
def _process(command: Sequence[str], kept: tuple[int, ...] = (), **environ: str) -> Iterator[None]:
    """A process until the end of the block, its chatter left out."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **environ},
        pass_fds=kept,
        stdout=subprocess.DEVNULL,
        stderr=None if os.environ.get("ENGINES_LOUD") else subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        process.kill()
        process.wait()
