"""The built widget: small, reproducible, and in every package."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import assets as pipeline
import brotli
import pytest
import sources
import toolchain
from webassets.exceptions import FilterError

ROOT = Path(__file__).resolve().parent.parent
Entries = dict[str, dict[str, Any]]

KB = 1024
# After gzip. The launcher comes with every page, the chat on a visitor's first sign of interest.
BUDGETS = {"launcher": KB + KB // 2, "chat": 15 * KB}
# Each of the parts that come once the chat is there.
PART_BUDGET = 6 * KB
# Each of its two files: what the chat says at once, and what it says later.
LANGUAGE_BUDGET = 921
README_LINE = re.compile(r"launcher: (\d+\.\d) KB, chat: (\d+\.\d) KB gzip")


@pytest.fixture(scope="module")
def sizes(files: Entries) -> dict[str, int]:
    """What a page pays, in bytes after gzip."""
    return {"launcher": files["widget.js"]["gzip"], "chat": files["chat.mjs"]["gzip"]}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# --- the build


def names_of_others() -> set[str]:
    """The properties that the widget shares: with the server, with pages, and among its built files."""
    wire, guide = ((ROOT / "docs" / page).read_text("utf-8") for page in ("wire.md", "widget.md"))
    words = (sources.SOURCES / "strings" / "en.js").read_text("utf-8")
    given = re.search(r"createChat\((\{.*?\})\)", (sources.SOURCES / "launch.js").read_text("utf-8"))
    assert given is not None
    braces = [*re.findall(r"`(\{[^`]*\})`", wire + guide), given[1]]
    return {
        *re.findall(r'"(\w+)":', wire),
        *re.findall(r"^\| `(?:data-)?(\w+)", wire + guide, re.MULTILINE),
        *re.findall(r"^  '?([\w ]+)'?:", words, re.MULTILINE),
        *(name for brace in braces for name in re.findall(r"\w+", brace)),
    }


def test_a_name_that_is_made_short_is_nobody_elses() -> None:
    shared = names_of_others()
    assert {"fullText", "lastEventId", "greeting", "accent", "retry", "spell"} <= shared
    assert shared.intersection(sources.short_names()) == set()


def test_every_name_that_is_made_short_is_in_use() -> None:
    spelt = {name for path in sources.SOURCES.rglob("*.js") for name in re.findall(r"\w+", path.read_text("utf-8"))}
    assert set(sources.short_names()) <= spelt


@pytest.mark.parametrize("part", BUDGETS)
def test_the_page_pays_no_more_than_promised(part: str, sizes: dict[str, int]) -> None:
    assert sizes[part] <= BUDGETS[part]


def test_a_part_that_comes_later_is_small(files: Entries) -> None:
    at_first = {"widget.js", "widget.mjs", "chat.mjs", "react.mjs"}
    sizes = {name: entry["gzip"] for name, entry in files.items() if "gzip" in entry and name not in at_first}
    assert {"extras.mjs", "sync.mjs", "actions.mjs", "menu.mjs", "detour.mjs", "identity.mjs"} <= set(sizes)
    assert {name: size for name, size in sizes.items() if size > PART_BUDGET} == {}


def test_a_language_costs_next_to_nothing(files: Entries) -> None:
    names = {path.stem for path in (sources.SOURCES / "strings").glob("*.js")} - {"en", "launcher"}
    sizes = {f"{name}{part}": files[f"{name}{part}.mjs"]["gzip"] for name in names for part in ("", ".more")}
    assert len(sizes) == 38
    assert {name: size for name, size in sizes.items() if size > LANGUAGE_BUDGET} == {}


def test_the_readme_prints_what_the_page_pays(sizes: dict[str, int]) -> None:
    printed = README_LINE.search((ROOT / "README.md").read_text("utf-8"))
    measured = tuple(f"{size / KB:.1f}" for size in sizes.values())
    assert printed is not None, f"README.md should say: launcher: {measured[0]} KB, chat: {measured[1]} KB gzip"
    assert printed.groups() == measured


def test_what_is_served_was_built_from_todays_sources() -> None:
    assert sources.is_current(), "run `make build`"


def test_the_same_sources_give_the_same_bytes_in_any_folder_and_nothing_else(built: Path, tmp_path: Path) -> None:
    shutil.copytree(sources.SOURCES, tmp_path / "elsewhere" / "src")
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "chat.0123456789ab.mjs").write_text("of an earlier build", "utf-8")
    pipeline.build(tmp_path / "static", tmp_path / "elsewhere" / "src")
    assert contents(tmp_path / "static") == contents(built)


def test_a_changed_source_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(sources.SOURCES, tmp_path / "src")
    (tmp_path / "src" / "errors.js").write_text("export const other = 1;\n", "utf-8")
    assert sources.sources_hash(tmp_path / "src") != sources.sources_hash()


def test_a_missing_file_is_noticed(built: Path, files: Entries, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "static")
    assert sources.is_current(tmp_path / "static")
    (tmp_path / "static" / files["chat.mjs"]["map"]).unlink()
    assert not sources.is_current(tmp_path / "static")


def test_what_a_page_names_is_named_by_its_own_hash(built: Path, files: Entries) -> None:
    for name in ("widget.js", "widget.mjs", "chat.mjs"):
        digest = hashlib.sha256((built / files[name]["file"]).read_bytes()).hexdigest()
        assert files[name]["file"].split(".")[1] == digest[:12]


def test_the_parts_are_named_by_one_hash_that_changes_with_each_of_them(built: Path, files: Entries) -> None:
    parts = [entry["file"] for name, entry in files.items() if name not in ("widget.js", "widget.mjs", "chat.mjs")]
    assert len(parts) >= 4
    (version,) = {name.split(".")[-2] for name in parts}
    assert version in (built / files["chat.mjs"]["file"]).read_text("utf-8")
    total = "".join(sorted(entry["integrity"] for entry in files.values() if entry["file"] in parts))
    assert version == hashlib.sha256(total.encode()).hexdigest()[:12]


def test_the_integrity_is_that_of_the_file(built: Path, files: Entries) -> None:
    for entry in files.values():
        digest = hashlib.sha384((built / entry["file"]).read_bytes()).digest()
        assert entry["integrity"] == "sha384-" + base64.b64encode(digest).decode()


def test_the_sizes_are_those_of_the_files_that_are_served(built: Path, files: Entries) -> None:
    for entry in files.values():
        lengths = [(built / (entry["file"] + suffix)).stat().st_size for suffix in ("", ".gz", ".br")]
        assert [entry["bytes"], entry["gzip"], entry["brotli"]] == lengths


def test_the_compressed_files_hold_the_same(built: Path, files: Entries) -> None:
    for entry in files.values():
        plain = (built / entry["file"]).read_bytes()
        assert gzip.decompress((built / (entry["file"] + ".gz")).read_bytes()) == plain
        assert brotli.decompress((built / (entry["file"] + ".br")).read_bytes()) == plain


def test_nothing_is_there_that_the_manifest_does_not_name(built: Path, files: Entries) -> None:
    suffixes = ("", ".gz", ".br", ".map")
    expected = {entry["file"] + suffix for entry in files.values() for suffix in suffixes} | {"manifest.json"}
    assert set(contents(built)) == expected | set(sources.AS_THEY_ARE)


def test_what_is_for_other_builds_is_served_as_it_was_written(built: Path) -> None:
    for name, source in sources.AS_THEY_ARE.items():
        assert (built / name).read_bytes() == source.read_bytes()


def test_the_launcher_knows_its_chat_file(built: Path, files: Entries) -> None:
    launcher = (built / files["widget.js"]["file"]).read_text("ascii")
    assert f"assets/{files['chat.mjs']['file']}" in launcher


def test_the_launcher_reads_the_same_in_any_encoding(built: Path, files: Entries) -> None:
    assert (built / files["widget.js"]["file"]).read_bytes().isascii()


def test_the_source_map_holds_the_sources(built: Path, files: Entries) -> None:
    content = json.loads((built / files["chat.mjs"]["map"]).read_text("utf-8"))
    entry = content["sources"].index("../src/widget.js")
    assert content["sourcesContent"][entry] == (sources.SOURCES / "widget.js").read_text("utf-8")


# Prints where the source map says that the needle in a built file came from.
FIND_ORIGIN = """
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
const [file, needle] = process.argv.slice(2);
const lines = readFileSync(file, 'utf8').split('\\n');
const row = lines.findIndex((line) => line.includes(needle));
const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')));
const { originalSource, originalLine } = map.findEntry(row, lines[row].indexOf(needle));
console.log(JSON.stringify([originalSource, originalLine]));
"""


@pytest.mark.parametrize(
    ("part", "source", "needle"),
    [("chat.mjs", "storage.js", "localStorage"), ("widget.js", "embed.js", "currentScript")],
)
def test_the_source_map_leads_through_both_tools_to_the_line(
    part: str, source: str, needle: str, built: Path, files: Entries, tmp_path: Path
) -> None:
    (tmp_path / "find.mjs").write_text(FIND_ORIGIN, "utf-8")
    node, _ = toolchain.find_node()
    command = [*node, str(tmp_path / "find.mjs"), str(built / files[part]["file"]), needle]
    origin, line = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert origin.endswith(f"src/{source}")
    assert needle in (sources.SOURCES / source).read_text("utf-8").splitlines()[line]


def test_a_fault_in_a_source_is_named_with_file_and_line(tmp_path: Path) -> None:
    shutil.copytree(sources.SOURCES, tmp_path / "src")
    (tmp_path / "src" / "errors.js").write_text("export const fine = 1;\nexport const = 2;\n", "utf-8")
    with pytest.raises(FilterError, match=r"src/errors\.js:2:13"):
        pipeline.build(tmp_path / "static", tmp_path / "src")


def test_a_failed_build_leaves_the_earlier_files(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "static")
    shutil.copytree(sources.SOURCES, tmp_path / "src")
    (tmp_path / "src" / "widget.js").write_text("import './gone.js';\n", "utf-8")
    with pytest.raises(FilterError, match=r"gone\.js"):
        pipeline.build(tmp_path / "static", tmp_path / "src")
    assert contents(tmp_path / "static") == contents(built)


# --- the packages


@pytest.fixture(scope="module")
def checkout(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a package is made from, with the widget built."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("README.md", "LICENSE", "MANIFEST.in", "pyproject.toml", "setup.cfg"):
        shutil.copy(ROOT / name, folder)
    skip = shutil.ignore_patterns("node_modules", "static", "__pycache__", "*.egg-info")
    for name in ("backend", "widget"):
        shutil.copytree(ROOT / name, folder / name, ignore=skip)
    shutil.copytree(built, folder / "backend" / "chatbubble" / "static")
    return folder


def without_node() -> dict[str, str]:
    """The environment of a machine that has no Node."""
    return os.environ | {"PATH": "/nowhere"}


def make_wheel(source: Path, target: Path) -> Path:
    """Build a wheel with the packages at hand and without Node."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(target)]
    subprocess.run([*command, str(source)], env=without_node(), check=True)
    (wheel,) = target.glob("*.whl")
    return wheel


def widget_in(wheel: Path) -> dict[str, bytes]:
    """The built widget's files in a wheel."""
    folder = "chatbubble/static/"
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(folder)]
        return {name.removeprefix(folder): archive.read(name) for name in names}


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel from that copy, in which an earlier build has left something."""
    (checkout / "build" / "lib" / "chatbubble" / "static").mkdir(parents=True)
    (checkout / "build" / "lib" / "chatbubble" / "static" / "chat.0123456789ab.mjs").write_text("old", "utf-8")
    return make_wheel(checkout, tmp_path_factory.mktemp("wheel"))


def test_the_wheel_contains_the_built_widget(wheel: Path, built: Path) -> None:
    assert widget_in(wheel) == contents(built)


def test_the_wheel_contains_the_revisions_of_the_database(wheel: Path) -> None:
    revisions = sorted((ROOT / "backend" / "chatbubble" / "stores" / "migrations").rglob("*.py"))
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert len(revisions) > 6
    assert {path.relative_to(ROOT / "backend").as_posix() for path in revisions} <= set(names)


def test_the_sdist_makes_the_same_wheel_without_node(checkout: Path, built: Path, tmp_path: Path) -> None:
    build = (
        f"import sys; sys.path.insert(0, 'widget'); import build_backend; build_backend.build_sdist({str(tmp_path)!r})"
    )
    subprocess.run([sys.executable, "-c", build], cwd=checkout, env=without_node(), capture_output=True, check=True)
    (sdist,) = tmp_path.glob("*.tar.gz")
    subprocess.run(["tar", "-xzf", sdist.name], cwd=tmp_path, check=True)
    assert widget_in(make_wheel(tmp_path / sdist.name.removesuffix(".tar.gz"), tmp_path)) == contents(built)
