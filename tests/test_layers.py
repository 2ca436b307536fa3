"""The house keeps its shape: imports go down, the core stays pure, files and functions stay short.

A new module needs a floor in one of the two tables below; the rule is in the first words of each.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from fnmatch import fnmatchcase
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "backend" / "chatbubble"
WIDGET = ROOT / "widget" / "src"

# A module may import from its own floor and from those below it.
PYTHON_FLOORS = {
    5: [
        "__init__", "choices", "cli", "cli_data", "config_check", "extension", "gunicorn_worker", "mounted", "process",
        "processes", "server",
    ],
    4: [
        "views", "assets", "chat", "connections", "departure", "fleet_metrics", "floodgate", "health", "housekeeping",
        "incoming", "metrics", "mount", "openapi", "openapi_routes", "openapi_schemas", "responses", "routes",
        "takeover", "workers",
    ],
    3: ["turn", "generation", "checkpoints", "delivery", "retelling", "saving"],
    2: [
        "providers/*", "stores/*", "stream_logs/*", "fleets/*", "addresses", "arrivals", "body", "clients", "export",
        "feedback", "hub_lag", "identity", "identity_keys", "identity_tokens", "limits", "logs", "origins", "pace",
        "places", "question", "signed_sessions", "slots", "sockets", "spending", "visitors", "windows",
    ],
    1: [
        "additions", "budget", "config", "discretion", "fleet", "json_flaws", "leases", "measures", "parsing", "prompt",
        "provenance", "provider", "redaction", "request_headers", "risks", "secrecy", "sharing", "sse", "statistics",
        "store", "stream_log", "well_formed", "wire",
    ],
    0: ["errors", "events", "records"],
}  # fmt: skip
WIDGET_FLOORS = {
    5: ["embed", "handle", "index", "launch", "react", "widget"],
    4: ["actions", "extras", "extras/*", "menu", "sync", "views/*"],
    3: ["client", "detour", "follow", "identity", "line", "offer", "render", "sync/leader", "sync/shared"],
    2: ["config", "dom", "parts", "patience", "storage", "sync/*", "transport"],
    1: [
        "answer", "backoff", "conversation", "graphemes", "links", "markdown", "markdown/*", "messages", "options",
        "queue", "response", "snapshot", "sse", "store", "strings", "strings/*", "sync/mirror", "text-hygiene",
        "typewriter",
    ],
    0: ["errors", "public", "types", "styles/*"],
}  # fmt: skip

# What the pure floors, 0 and 1, may use of the world: nothing that waits, reads a clock or opens anything.
PURE_IMPORTS = {
    "__future__", "abc", "bisect", "codecs", "collections", "contextlib", "dataclasses", "difflib", "enum", "functools",
    "hashlib", "heapq", "ipaddress", "itertools", "json", "math", "operator", "re", "string", "struct", "types",
    "typing", "unicodedata", "urllib.parse",
}  # fmt: skip
# Flask's names for "the request of this moment".
MOMENTARY = {"request", "session", "g"}

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
# Longer than that, and why.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}

EMPTY_NAMES = {"base", "common", "handler", "handlers", "helper", "helpers", "manager", "misc", "util", "utils"}
OURS = ("backend", "demo-site", "scripts", "tests", "widget")
NOT_OURS = {"node_modules", "static", "artefacts", "__pycache__"}


def own_files(*suffixes: str) -> list[Path]:
    """Every file of ours with one of the suffixes, in a fixed order."""
    found = [path for name in OURS for path in (ROOT / name).rglob("*") if path.suffix in suffixes]
    return sorted(path for path in found if not NOT_OURS.intersection(path.relative_to(ROOT).parts))


def short(path: Path) -> str:
    """The path as the tables and messages have it."""
    return path.relative_to(ROOT).as_posix()


def floor_of(module: str, floors: dict[int, list[str]]) -> int | None:
    """The module's floor, or None where the table does not know it."""
    for floor, patterns in floors.items():
        if any(fnmatchcase(module, pattern) for pattern in patterns):
            return floor
    return None


def python_modules() -> dict[str, Path]:
    """Every module of the package by its path from the package's folder: `stores/sql`."""
    return {path.relative_to(PACKAGE).with_suffix("").as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}


def widget_modules() -> dict[str, Path]:
    """Every source of the widget by its path from the sources' folder: `views/panel`."""
    files = sorted(path for path in WIDGET.rglob("*") if path.suffix in {".js", ".css"})
    return {path.relative_to(WIDGET).with_suffix("").as_posix(): path for path in files}


def find_imports(tree: ast.Module) -> Iterator[tuple[int, str, list[str], bool]]:
    """Each import as (level, module, names, only for the type checker)."""
    unreal = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield 0, alias.name, [], node in unreal
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or "", [alias.name for alias in node.names], node in unreal


def python_edges() -> Iterator[tuple[str, str, bool]]:
    """(importer, imported, only for the type checker) within the package."""
    modules = python_modules()
    for module, path in modules.items():
        folder = module.split("/")[:-1]
        for level, target, names, is_unreal in find_imports(ast.parse(path.read_text("utf-8"))):
            if level > 0:
                start = folder[: len(folder) - level + 1]
            elif target.split(".")[0] == "chatbubble":
                start, target = [], target.partition(".")[2]
            else:
                continue
            place = "/".join([*start, *filter(None, target.split("."))])
            for name in names or [""]:
                candidates = [f"{place}/{name}".strip("/"), place, f"{place}/__init__".strip("/")]
                yield module, next((found for found in candidates if found in modules), place), is_unreal


def widget_edges() -> Iterator[tuple[str, str, bool]]:
    """(importer, imported, False) within the widget; imports in comments are types only."""
    statement = re.compile(
        r"""^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"](\.[^'"]+)['"]"""
        r"""|^\s*import\s*['"](\.[^'"]+)['"]"""
        r"""|\bimport\(\s*['"](\.[^'"]+)['"]""",
        re.MULTILINE,
    )
    for module, path in widget_modules().items():
        code = re.sub(r"/\*\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
        for match in statement.finditer(code):
            target = (path.parent / next(filter(None, match.groups()))).resolve()
            yield module, target.relative_to(WIDGET).with_suffix("").as_posix(), False


SIDES = {
    "backend": (python_modules, python_edges, PYTHON_FLOORS, "PYTHON_FLOORS"),
    "widget": (widget_modules, widget_edges, WIDGET_FLOORS, "WIDGET_FLOORS"),
}


@pytest.mark.parametrize("side", SIDES)
def test_every_module_has_a_floor(side: str) -> None:
    modules, _, floors, table = SIDES[side]
    homeless = [module for module in modules() if floor_of(module, floors) is None]
    assert not homeless, f"Give them a floor in {table} of tests/test_layers.py: {', '.join(homeless)}"


@pytest.mark.parametrize("side", SIDES)
def test_imports_never_go_up(side: str) -> None:
    _, edges, floors, _ = SIDES[side]
    ups = []
    for importer, imported, _ in edges():
        upper, lower = floor_of(importer, floors), floor_of(imported, floors)
        if upper is not None and lower is not None and lower > upper:
            ups.append(f"{importer} (floor {upper}) imports {imported} (floor {lower})")
    assert not ups, "\n".join(sorted(set(ups)))


@pytest.mark.parametrize("side", SIDES)
def test_imports_never_go_in_a_circle(side: str) -> None:
    graph: dict[str, set[str]] = {}
    for importer, imported, is_unreal in SIDES[side][1]():
        if not is_unreal and importer != imported:
            graph.setdefault(importer, set()).add(imported)
    left = {module: set(targets) for module, targets in graph.items()}
    while leaves := {target for targets in left.values() for target in targets} - left.keys():
        left = {module: rest for module, targets in left.items() if (rest := targets - leaves)}
    assert not left, f"These import each other: {left}"


@pytest.mark.parametrize("side", SIDES)
def test_the_reader_of_imports_reads(side: str) -> None:
    known = {"backend": ("stores/sql", "records"), "widget": ("widget", "store")}
    assert known[side] in {(importer, imported) for importer, imported, _ in SIDES[side][1]()}


def test_the_pure_floors_use_nothing_of_the_world() -> None:
    faults = []
    for module, path in python_modules().items():
        if floor_of(module, PYTHON_FLOORS) not in {0, 1}:
            continue
        for level, target, _, _ in find_imports(ast.parse(path.read_text("utf-8"))):
            allowed = target in PURE_IMPORTS or target.split(".")[0] in PURE_IMPORTS
            if level == 0 and not allowed:
                faults.append(f"{module} imports {target}")
    assert not faults, "\n".join(faults)


def test_the_linter_keeps_the_same_modules_of_the_widget_pure() -> None:
    config = (ROOT / "widget" / "eslint.config.js").read_text("utf-8")
    listed = re.search(r"const PURE = \[(.*?)\];", config, re.DOTALL)
    pure = [pattern for pattern in [*WIDGET_FLOORS[1], *WIDGET_FLOORS[0]] if pattern != "styles/*"]
    assert listed is not None
    assert sorted(re.findall(r"'([^']+)'", listed[1])) == sorted(pure)


def test_every_package_that_is_imported_is_declared() -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf-8")
    declared = {re.split(r"[<>=~!]", line)[0].lower() for line in setup["options"]["install_requires"].split()}
    declared |= {"click", "werkzeug"}  # Flask's own parts
    declared |= {"gunicorn"}  # of an extra; `chatbubble serve --workers` says which where it is missing
    roots = {
        target.split(".")[0]
        for path in python_modules().values()
        for level, target, _, _ in find_imports(ast.parse(path.read_text("utf-8")))
        if level == 0
    }
    homes = packages_distributions()
    foreign = roots - sys.stdlib_module_names - {"chatbubble"}
    assert not {name for name in foreign if not declared & {home.lower() for home in homes.get(name, [])}}


def test_the_request_is_seen_by_the_views_alone() -> None:
    seers = {
        module
        for module, path in python_modules().items()
        for level, target, names, _ in find_imports(ast.parse(path.read_text("utf-8")))
        if level == 0 and target.split(".")[0] == "flask" and MOMENTARY.intersection(names)
    }
    assert seers <= {"views"}


def test_nothing_keeps_the_app() -> None:
    keepers = {
        f"{module}:{node.lineno}"
        for module, path in python_modules().items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in {"app", "_app"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }
    assert not keepers, "state lives in app.extensions, not in self.app"


def test_files_are_short() -> None:
    lengths = {short(path): len(path.read_text("utf-8").splitlines()) for path in own_files(".py", ".js", ".css")}
    long = {name: lines for name, lines in lengths.items() if lines > MAX_FILE_LINES and name not in LONG_FILES}
    assert not long, f"over {MAX_FILE_LINES} lines: {long}"


def test_functions_are_short() -> None:
    # The widget's functions are measured by its linter: see own-lines in widget/eslint.config.js.
    long = {}
    for path in own_files(".py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                lines = (node.end_lineno or 0) - first.lineno + 1 + (node.body[0].lineno - node.lineno)
                name = f"{short(path)}:{node.name}"
                if lines > MAX_FUNCTION_LINES and name not in LONG_FUNCTIONS:
                    long[name] = lines
    assert not long, f"over {MAX_FUNCTION_LINES} lines: {long}"


def test_the_lists_of_exceptions_hold_nothing_that_is_gone() -> None:
    names = {short(path) for path in own_files(".py", ".js", ".css")}
    assert not {name for name in LONG_FILES if name not in names}
    assert not {name for name in LONG_FUNCTIONS if name.split(":")[0] not in names}


def test_file_names_say_something() -> None:
    empty = [short(path) for path in own_files(".py", ".js", ".css") if EMPTY_NAMES & set(re.split(r"\W|_", path.stem))]
    assert not empty, f"named after nothing they do: {empty}"


def test_the_standard_library_knows_the_pure_imports() -> None:
    assert {name.split(".")[0] for name in PURE_IMPORTS} <= sys.stdlib_module_names
