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
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The widget's files, built from today's sources into a folder of their own."""
    # Imported late: webassets brings in ssl, which gevent wants to patch before that.
    import assets as pipeline

    folder = tmp_path_factory.mktemp("built") / "static"
    pipeline.build(folder)
    return folder


@pytest.fixture(scope="session")
def files(built: Path) -> dict[str, dict[str, Any]]:
    """The manifest's entries by their stable names."""
    entries: dict[str, dict[str, Any]] = json.loads((built / "manifest.json").read_text("utf-8"))["files"]
    return entries
