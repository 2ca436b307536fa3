"""The types that integrators get: made from today's sources, and right about what can be written."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import sources
import toolchain

TYPES = sources.HERE / "types"


@pytest.fixture(scope="module")
def node() -> list[str]:
    """The command for Node, with the type checker fetched."""
    toolchain.fetch(everything=True)
    command, _ = toolchain.find_node()
    return command


def test_the_types_are_those_of_todays_sources(node: list[str], tmp_path: Path) -> None:
    subprocess.run([*node, str(sources.HERE / "write_types.js"), str(tmp_path)], check=True)
    for path in tmp_path.iterdir():
        assert path.read_text("utf-8") == (TYPES / path.name).read_text("utf-8"), "run `node widget/write_types.js`"
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in TYPES.glob("*.d.mts")}


def test_what_is_right_is_accepted_and_what_is_wrong_is_not(node: list[str]) -> None:
    checker = sources.HERE / "node_modules" / "typescript" / "bin" / "tsc"
    answer = subprocess.run(
        [*node, str(checker), "--project", str(TYPES)], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert answer.stdout == ""
    assert answer.returncode == 0
