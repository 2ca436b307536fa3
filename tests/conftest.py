"""What more than one folder of tests needs: a fresh build of the widget."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A busy machine is not a fault of the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def built() -> Path:
    """The widget's files as they are served, built from today's sources."""
    # Imported late: webassets brings in ssl, which gevent wants to patch before that.
    import assets as pipeline
    from sources import STATIC, is_current

    if not is_current(STATIC):
        pipeline.build(STATIC)
    return STATIC


@pytest.fixture(scope="session")
def files(built: Path) -> dict[str, dict[str, Any]]:
    """The manifest's entries by their stable names."""
    entries: dict[str, dict[str, Any]] = json.loads((built / "manifest.json").read_text("utf-8"))["files"]
    return entries
