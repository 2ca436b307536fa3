"""Is anything that is pinned known to be vulnerable? What `make audit` does.

Asks pip-audit about requirements/ and npm about the two lock files. Where the network has no such service, as behind a
mirror that serves files alone, one line says that nobody could tell; with --strict that is a failure as well. A package
that the service does not know is not taken for a sound one.

    python scripts/audit.py [--strict]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
NPM_FOLDERS = ("widget", "tests/bench/references")
# The service is asked once for each package, or once for all.
TIMEOUT_S = 300


class Verdict(NamedTuple):
    """What came of one check: what it found, and why it could not tell, where it could not."""

    checked: int
    findings: list[str]
    untold: str = ""


def last_line(text: str) -> str:
    """What a program said last, cut to a line's length."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no word of why"


def read_pip_audit(output: str, errors: str) -> Verdict:
    """What pip-audit's JSON says; it calls a run with every package skipped a clean one, so these are counted here."""
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Verdict(0, [], last_line(errors))
    findings = [
        f"{package['name']} {package['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'none'}"
        for package in packages
        for found in package.get("vulns", [])
    ]
    skipped = [package for package in packages if "skip_reason" in package]
    untold = f"{len(skipped)} of {len(packages)}: {skipped[0]['skip_reason'][:120]}" if skipped else ""
    return Verdict(len(packages) - len(skipped), findings, untold)


def read_npm_audit(output: str, errors: str) -> Verdict:
    """What npm's JSON says, or the reason for which it has none."""
    try:
        report = json.loads(output)
    except ValueError:
        return Verdict(0, [], last_line(errors))
    if "vulnerabilities" not in report:
        return Verdict(0, [], last_line(str(report.get("message", ""))))
    packages: dict[str, Any] = report["vulnerabilities"]
    checked: int = report["metadata"]["dependencies"]["total"]
    return Verdict(checked, [f"{name}: {entry['severity']}, {entry['range']}" for name, entry in packages.items()])


def ask_pip_audit() -> Verdict:
    """Ask about every pin of Python, installed or not. What a file begins with is not asked about along with it."""
    files = [word for path in sorted((ROOT / "requirements").glob("*.txt")) for word in ("-r", str(path))]
    options = ["--require-hashes", "--disable-pip", "--progress-spinner=off", "--format=json"]
    command = [sys.executable, "-m", "pip_audit", *options, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    return read_pip_audit(done.stdout, done.stderr)


def ask_npm(folder: str) -> Verdict:
    """Ask about what a lock file names, whether it is installed or not."""
    sys.path.insert(0, str(ROOT / "widget"))
    import toolchain

    node, npm = toolchain.find_node()
    path = os.pathsep.join([str(Path(node[0]).parent), os.environ.get("PATH", "")])
    command = [*npm, "audit", "--json", "--package-lock-only"]
    environ = os.environ | {"PATH": path}
    done = subprocess.run(
        command, cwd=ROOT / folder, env=environ, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
    )
    return read_npm_audit(done.stdout, done.stderr)


def tell(name: str, verdict: Verdict) -> None:
    """Print what a check gave, a line for each thing to know."""
    for finding in verdict.findings:
        print(f"{name}: VULNERABLE {finding}")
    if verdict.untold:
        print(f"{name}: skipped, nobody there can tell: {verdict.untold}")
    if verdict.checked:
        print(f"{name}: {verdict.checked} packages checked, {len(verdict.findings)} findings")


def main(arguments: list[str]) -> int:
    """Check all; returns the exit status: 1 for findings, and with --strict for what nobody could tell."""
    verdicts = {"requirements": ask_pip_audit()} | {folder: ask_npm(folder) for folder in NPM_FOLDERS}
    for name, verdict in verdicts.items():
        tell(name, verdict)
    found = any(verdict.findings for verdict in verdicts.values())
    untold = any(verdict.untold for verdict in verdicts.values())
    return 1 if found or (untold and "--strict" in arguments) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
