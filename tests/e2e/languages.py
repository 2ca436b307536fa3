"""The languages that the chat speaks: its words, pages written in each, and a small talk in each."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import toolchain
from playwright.sync_api import BrowserContext, Page, Route
from stack import ROOT

STRINGS = ROOT / "widget" / "src" / "strings"
LOCALES = sorted(path.stem for path in STRINGS.glob("*.js") if path.stem != "launcher")
RIGHT_TO_LEFT = ("ar", "he")
# What is asked and answered in the pictures, by locale.
TALKS: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("talks.json").read_text("utf-8"))


def read_words() -> dict[str, dict[str, str]]:
    """What the chat says, by locale and key."""
    program = (
        "const all = {}; for (const name of process.argv.slice(1)) {"
        " const { chat, more } = await import(name);"
        " all[name.split('/').at(-1).replace('.js', '')] = { ...chat, ...more }; }"
        " console.log(JSON.stringify(all));"
    )
    node, _ = toolchain.find_node()
    files = [(STRINGS / f"{locale}.js").as_uri() for locale in LOCALES]
    result = subprocess.run([*node, "--input-type=module", "-e", program, *files], capture_output=True, check=True)
    words: dict[str, dict[str, str]] = json.loads(result.stdout)
    return words


# Done as the page is parsed: an answer of the test's own would come from no address, and then load nothing local.
_REWRITE = """([page, tag]) => {
  const write = (element, attributes) => {
    for (const [name, value] of Object.entries(attributes)) element?.setAttribute(name, value);
  };
  new MutationObserver((_, observer) => {
    const script = document.querySelector('script[async]');
    write(document.documentElement, page);
    write(script, tag);
    for (const name of ['title', 'greeting']) script?.removeAttribute(`data-${name}`);
    if (script) observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
}"""


def write_pages(context: BrowserContext, page: dict[str, str], tag: dict[str, str] | None = None) -> None:
    """Have every page come with these attributes of `html` and of the widget's tag, which says nothing in English."""
    context.add_init_script(f"({_REWRITE})({json.dumps([page, tag or {}])})")


def answer_with(page: Page, answers: Mapping[str, str]) -> None:
    """Have the scripted model give these answers to these questions, without the visitor seeing how."""

    def rewrite(route: Route) -> None:
        asked = json.loads(route.request.post_data or "{}")
        if phrase := answers.get(asked["message"]):
            route.continue_(post_data=json.dumps(asked | {"message": phrase}))
        else:
            route.continue_()

    page.route("**/api/ai/chat", rewrite)
