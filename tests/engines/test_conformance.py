"""The chat in three engines, on a page under the strictest policy: the page itself runs the assertions."""

from __future__ import annotations

import pytest
from conftest import Engine

GROUPS = [
    "launcher", "open", "stream", "markdown", "stop", "synthetic keys", "input methods", "real keys", "styles",
    "panel opens itself", "resume", "destroy", "policy",
]  # fmt: skip


@pytest.mark.parametrize("group", GROUPS)
def test_the_chat(engine: Engine, group: str) -> None:
    report = engine.report("suite=chat")
    assert report["groups"].get(group, "was not run") == "ok"


def test_nothing_else_was_looked_at(engine: Engine) -> None:
    assert list(engine.report("suite=chat")["groups"]) == GROUPS


def test_the_browser_reported_nothing(engine: Engine) -> None:
    reports = engine.report("suite=chat")["reports"]
    assert [report for report in reports if not report["blocked-uri"].endswith("/favicon.ico")] == []
