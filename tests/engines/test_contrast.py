"""Two hundred accents in three engines, in the light and in the dark: texts 4.5 to 1, signs 3 to 1."""

from __future__ import annotations

import pytest
from conftest import Engine


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_any_accent_can_be_read(engine: Engine, theme: str) -> None:
    assert engine.report(f"suite=contrast&theme={theme}")["groups"] == {"set up": "ok", "contrast": "ok"}
