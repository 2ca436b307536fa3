"""What Chatbubble is made of: pinned by hash, told in a bill of materials, audited, and packed the same twice."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import audit
import bill_of_materials
import pins
import pytest
import repeatable

ROOT = Path(__file__).resolve().parent.parent
PINS = sorted((ROOT / "requirements").glob("*.txt"))


def blocks(name: str) -> dict[str, str]:
    """The entries of a set by package, those of the sets that it begins with among them."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    found: dict[str, str] = {}
    for other in re.findall(r"^-r (\w+)\.txt$", text, re.MULTILINE):
        found |= blocks(other)
    lines = "\n".join(line for line in text.splitlines() if not line.startswith(("#", "-r ")))
    return found | {re.split("==", block)[0]: block for block in re.split(r"\n(?=\S)", lines.strip())}


def number(version: str) -> list[int]:
    """A version, to compare it with another one."""
    return [int(part) for part in re.findall(r"\d+", version)]


# --- pins


def test_every_set_is_there_and_no_other() -> None:
    assert {path.stem for path in PINS} == set(pins.SETS)


@pytest.mark.parametrize("name", pins.SETS)
def test_what_we_ask_for_is_pinned_within_its_bounds(name: str) -> None:
    pinned = blocks(name)
    for requirement in pins.wanted(pins.SETS[name]):
        package, bound = bill_of_materials.plain_name(requirement), requirement.split(">=")[1]
        assert package in pinned, f"run `make pins`: requirements/{name}.txt lacks {package}"
        found = re.search(r"==([\w.]+)", pinned[package])
        assert found
        assert number(found[1]) >= number(bound), f"run `make pins`: {requirement}"


def test_nothing_that_an_extra_asks_for_is_left_unpinned() -> None:
    extras = ConfigParser()
    extras.read(ROOT / "setup.cfg", "utf-8")
    names = tuple(extras["options.extras_require"])
    asked = {bill_of_materials.plain_name(line) for line in pins.wanted(pins.PinSet("all", (), names))}
    pinned = {package for name in pins.SETS for package in blocks(name)}
    assert asked - pinned == set(), "name the extra in a set of scripts/pins.py, and run `make pins`"


@pytest.mark.parametrize("path", PINS, ids=lambda path: path.stem)
def test_a_pin_is_one_version_with_the_hashes_of_its_files(path: Path) -> None:
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith(("#", "-r ")):
            assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line), line
    assert all("--hash=sha256:" in block for block in blocks(path.stem).values())


def test_two_sets_never_disagree() -> None:
    told: dict[str, set[str]] = {}
    for name in pins.SETS:
        for package, block in blocks(name).items():
            told.setdefault(package, set()).add(block)
    assert {package for package, versions in told.items() if len(versions) > 1} == set()


@pytest.mark.parametrize("path", ["scripts/install_pins.sh", "docs/deploy/Dockerfile", "Makefile"])
def test_what_installs_the_pins_checks_their_hashes(path: str) -> None:
    text = (ROOT / path).read_text("utf-8").replace("\\\n", " ")
    commands = [command for line in text.splitlines() for command in line.split("&&")]
    installing = [command for command in commands if re.search(r"pip .*(-r requirements/|\$requirements)", command)]
    assert installing
    assert all("--require-hashes" in command for command in installing)


# --- the audit


def package(name: str, **more: Any) -> dict[str, Any]:
    """An entry of pip-audit's JSON."""
    return {"name": name, "version": "1.0", "vulns": []} | more


FOUND = package("flask", vulns=[{"id": "PYSEC-1", "fix_versions": ["1.1"]}])
UNKNOWN = {"name": "gevent", "skip_reason": "Dependency not found"}


def test_a_vulnerable_package_is_a_finding() -> None:
    verdict = audit.read_pip_audit(json.dumps({"dependencies": [FOUND, package("click")]}), "")
    assert verdict == audit.Verdict(2, ["flask 1.0: PYSEC-1, mended in 1.1"])


def test_a_package_that_the_service_does_not_know_is_not_taken_for_a_sound_one() -> None:
    verdict = audit.read_pip_audit(json.dumps({"dependencies": [UNKNOWN, package("click")]}), "")
    assert (verdict.checked, verdict.findings) == (1, [])
    assert verdict.untold.startswith("1 of 2")


@pytest.mark.parametrize("read", [audit.read_pip_audit, audit.read_npm_audit])
def test_a_service_that_is_out_of_reach_is_a_skip_with_its_reason(read: Any) -> None:
    assert read("", "a traceback\nno such host\n") == audit.Verdict(0, [], "no such host")
    assert read("", "").untold


def test_npm_names_what_it_found_or_why_it_cannot_tell() -> None:
    entry = {"severity": "high", "range": "<2"}
    report = {"vulnerabilities": {"terser": entry}, "metadata": {"dependencies": {"total": 7}}}
    assert audit.read_npm_audit(json.dumps(report), "") == audit.Verdict(7, ["terser: high, <2"])
    refused = json.dumps({"message": "405 Method Not Allowed"})
    assert audit.read_npm_audit(refused, "npm error") == audit.Verdict(0, [], "405 Method Not Allowed")


@pytest.mark.parametrize(
    ("verdict", "usual", "strict", "line"),
    [
        (audit.Verdict(7, []), 0, 0, "7 packages checked, 0 findings"),
        (audit.Verdict(0, [], "no such host"), 0, 1, "skipped, nobody there can tell: no such host"),
        (audit.Verdict(7, ["flask 1.0: PYSEC-1"]), 1, 1, "VULNERABLE flask 1.0: PYSEC-1"),
    ],
)
def test_findings_fail_the_audit_and_a_skip_does_where_it_is_strict(
    verdict: audit.Verdict,
    usual: int,
    strict: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(audit, "ask_pip_audit", lambda: verdict)
    monkeypatch.setattr(audit, "ask_npm", lambda _: audit.Verdict(1, []))
    assert audit.main([]) == usual
    assert f"requirements: {line}" in capsys.readouterr().out
    assert audit.main(["--strict"]) == strict


# --- the bill of materials


@pytest.fixture(scope="module")
def bill(built: Path) -> dict[str, Any]:
    """The document, as it would be written."""
    return bill_of_materials.bill()


def test_the_bill_has_the_shape_of_its_standard(bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    references = [entry["bom-ref"] for entry in [bill["metadata"]["component"], *bill["components"]]]
    assert len(set(references)) == len(references)
    for entry in bill["components"]:
        assert {"type", "bom-ref", "name", "version", "purl", "scope"} <= entry.keys()
        assert re.fullmatch(r"pkg:(pypi|npm)/[\w.%/-]+@[\w.-]+", entry["purl"])
    (ours,) = bill["dependencies"]
    assert set(ours["dependsOn"]) <= set(references)


def test_the_bill_tells_every_pin_of_a_deployment_with_its_hashes(bill: dict[str, Any]) -> None:
    pinned = blocks("deploy")
    told = [entry for entry in bill["components"] if entry["purl"].startswith("pkg:pypi/")]
    assert {entry["name"] for entry in told} == set(pinned)
    for name in ("flask", "psycopg"):
        (entry,) = [entry for entry in told if entry["name"] == name]
        files = [file["hashes"][0]["content"] for file in entry["externalReferences"]]
        assert files == re.findall(r"sha256:(\w+)", pinned[name])
    assert {entry["name"]: entry["scope"] for entry in told}.items() >= {("flask", "required"), ("psycopg", "optional")}


def test_the_bill_says_that_the_widget_ships_nobody_elses_package(bill: dict[str, Any]) -> None:
    tools = [entry for entry in bill["components"] if entry["purl"].startswith("pkg:npm/")]
    assert {"esbuild", "terser"} <= {entry["name"] for entry in tools}
    assert {entry["scope"] for entry in tools} == {"excluded"}


def test_the_bill_tells_the_widgets_own_files_with_their_hashes(bill: dict[str, Any], built: Path) -> None:
    told = {entry["name"]: entry["hashes"] for entry in bill["metadata"]["component"]["components"]}
    scripts = [path for path in built.glob("*.*js") if "." in path.stem]
    assert told == {
        f"chatbubble/static/{path.name}": [{"alg": "SHA-384", "content": hashlib.sha384(path.read_bytes()).hexdigest()}]
        for path in scripts
    }
    assert len(scripts) > 40


def test_the_bill_is_the_same_every_time(tmp_path: Path, bill: dict[str, Any]) -> None:
    bill_of_materials.main(str(tmp_path))
    (written,) = tmp_path.iterdir()
    assert written.name == f"chatbubble-{bill_of_materials.version()}.cdx.json"
    assert json.loads(written.read_text("utf-8")) == bill


# --- the packages

PACK = """
import os, sys
os.umask(int(sys.argv[1], 8))
sys.path.insert(0, "widget")
import build_backend
build_backend.build_sdist("out")
build_backend.build_wheel("out")
"""


def pack(folder: Path, umask: str) -> dict[str, str]:
    """Pack a checkout in this folder; returns the hashes of what came out."""
    (folder / "out").mkdir()
    subprocess.run([sys.executable, "-c", PACK, umask], cwd=folder, capture_output=True, check=True)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "out").iterdir()}


def test_two_checkouts_give_the_same_wheel_and_sdist(built: Path, tmp_path: Path) -> None:
    packed = []
    skip = shutil.ignore_patterns("node_modules", "static", "__pycache__", "*.egg-info")
    for name, mode, umask in (("one", 0o644, "022"), ("elsewhere", 0o664, "002")):
        folder = tmp_path / name
        for source in ("backend", "widget"):
            shutil.copytree(ROOT / source, folder / source, ignore=skip)
        shutil.copytree(built, folder / "backend" / "chatbubble" / "static")
        for source in ("README.md", "LICENSE", "MANIFEST.in", "pyproject.toml", "setup.cfg"):
            shutil.copy(ROOT / source, folder)
        for number_of, path in enumerate(sorted(folder.rglob("*"), reverse=mode == 0o664)):
            if path.is_file():
                path.chmod(mode)
                os.utime(path, (1e9 + number_of, 1e9 + number_of))
        packed.append(pack(folder, umask))
    assert len(packed[0]) == 2
    assert packed[0] == packed[1]


def test_the_time_in_a_package_can_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert repeatable.moment() == repeatable.EARLIEST
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1800000000")
    assert repeatable.moment() == 1800000000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert repeatable.moment() == repeatable.EARLIEST
