"""What the documents say is what the code does: settings, routes, events, errors, dependencies, commands, links."""

from __future__ import annotations

import ast
import configparser
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from chatbubble import additions, events, incoming, views
from chatbubble.cli import main, markdown_table
from chatbubble.config import describe
from chatbubble.delivery import MAX_EXCERPT_BYTES
from chatbubble.errors import ChatbubbleError, ClientNotFound, ConfigError, StreamEnded
from chatbubble.feedback import COMMENT_CHARS
from chatbubble.limits import FEEDBACK_RATE
from chatbubble.question import MESSAGE_CHARS

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = {".venv", "node_modules", "dist", "build", "artefacts"}
WIRE, SETTINGS, README = "docs/wire.md", "docs/settings.md", "README.md"
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in ROOT.rglob("*.md")
    if not NOT_OURS & set(path.relative_to(ROOT).parts) and not any(part.startswith(".") for part in path.parts)
)


def text_of(name: str) -> str:
    """A document, by its path from the root."""
    return (ROOT / name).read_text("utf-8")


def rows_of(name: str, heading: str) -> list[list[str]]:
    """The cells of every row of the document's table that begins with these column names."""
    lines = iter(text_of(name).splitlines())
    for line in lines:
        if line.startswith(heading):
            assert set(next(lines)) <= set("|- "), f"{name}: no rule below {heading}"
            rows = []
            for row in lines:
                if not row.startswith("|"):
                    break
                rows.append([cell.strip() for cell in row.strip("|").split(" | ")])
            return [[cell.strip("| ") for cell in row] for row in rows]
    raise AssertionError(f"{name} has no table | {heading} |")


def without_code(markdown: str) -> str:
    """A document without its code blocks and spans."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", markdown, flags=re.DOTALL | re.MULTILINE))


def code_blocks(name: str, language: str) -> list[str]:
    """The document's code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(name), re.DOTALL | re.MULTILINE)


def test_the_settings_page_holds_the_table_that_the_command_prints() -> None:
    assert markdown_table() in text_of(SETTINGS)


def test_the_readme_tells_every_setting_with_its_default_and_meaning() -> None:
    told = [[cell.strip("`") for cell in row] for row in rows_of(README, "| setting | default | meaning |")]
    assert told == [[item.name, item.default, item.meaning.strip("`")] for item in describe()]


ADDRESSES = {
    f"{method} {rule.replace('<stream_id>', '<streamId>').replace('<path:name>', '<file>')}"
    for rule, routes in views.ROUTES.items()
    for method in routes
}


@pytest.mark.parametrize(("name", "heading"), [(WIRE, "| route | takes | answers |"), (README, "| route | does |")])
def test_every_route_is_told_once_and_no_other(name: str, heading: str) -> None:
    told = [address for row in rows_of(name, heading) for address in re.findall(r"`([A-Z]+ /[^`]*)`", row[0])]
    assert sorted(told) == sorted(ADDRESSES)


KINDS = {
    "connected": events.Connected,
    "token": events.Token,
    "done": events.Done,
    "error": events.Error,
    "reset": events.Reset,
    "sources": events.Sources,
    "suggestions": events.Suggestions,
}


def camel(name: str) -> str:
    """A field's name as the wire has it."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


@pytest.mark.parametrize("name", [WIRE, README])
def test_every_event_is_told_with_all_its_fields(name: str) -> None:
    told = {}
    for kind, data in rows_of(name, "| event | data |"):
        braces = re.search(r"`\{([^}]*)\}`", data)
        assert braces, f"{kind} tells no fields"
        told[kind.strip("`")] = set(braces[1].split(", "))
    assert told == {kind: {camel(item.name) for item in fields(record)} for kind, record in KINDS.items()}


def test_no_event_type_is_forgotten() -> None:
    assert KINDS.keys() | {"message", "open"} == events.RESERVED_TYPES


NEVER_SENT = {ConfigError, ClientNotFound, StreamEnded}


def test_every_error_code_is_told_with_its_status() -> None:
    told = [[cell.strip("`") for cell in row[:3]] for row in rows_of(WIRE, "| code | status | retryable | when |")]
    sent = [kind for kind in ChatbubbleError.__subclasses__() if kind not in NEVER_SENT]
    rows = [[kind.code, str(kind.status), "yes" if kind.retryable else "no"] for kind in sent]
    assert sorted(told) == sorted(rows)


def test_the_codes_that_are_never_sent_are_told_too() -> None:
    for kind in NEVER_SENT:
        assert f"`{kind.code}`" in text_of(WIRE)


def test_the_sizes_on_the_wire_are_those_of_the_code() -> None:
    assert f"{incoming.MAX_BODY_BYTES:,} bytes" in text_of(WIRE)
    assert f"1 to {MESSAGE_CHARS:,} characters" in text_of(WIRE)
    assert f"at most {COMMENT_CHARS:,} characters" in text_of(WIRE)
    assert f"a whole number from 0 to {incoming.MAX_WAIT_S}:" in text_of(WIRE)
    assert f"little more than {MAX_EXCERPT_BYTES:,} bytes" in text_of(WIRE)
    assert FEEDBACK_RATE == "30/minute;300/day", "docs/wire.md and docs/settings.md say it in words"
    for size in ("TITLE", "URL", "SNIPPET", "SUGGESTION"):
        assert f"{getattr(additions, f'{size}_CHARS'):,} characters" in text_of(WIRE)
    for count in (f"{additions.MAX_SOURCES} sources", f"{additions.MAX_SUGGESTIONS} suggestions"):
        assert count in text_of(WIRE)


def declared_packages() -> set[str]:
    """Every package that we ask for by name, on both sides."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    wanted = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    lines = [line.strip() for block in wanted for line in block.splitlines()]
    names = {re.split(r"[\[<>=;~! ]", line)[0] for line in lines if line and not line.startswith("#")}
    for path in ("widget/package.json", "tests/bench/references/package.json"):
        package = json.loads(text_of(path))
        names |= {*package.get("dependencies", {}), *package.get("devDependencies", {})}
    return names - {"chatbubble"}


def test_every_dependency_has_its_reason() -> None:
    told = re.findall(r"^\| `([^`]+)` \| (.+) \|$", text_of("docs/dependencies.md"), re.MULTILINE)
    names = [name for name, _ in told]
    untold, unknown = declared_packages() - set(names), set(names) - declared_packages()
    assert not untold, f"docs/dependencies.md does not say why these are there: {sorted(untold)}"
    assert not unknown, f"docs/dependencies.md tells of what nobody asks for: {sorted(unknown)}"
    assert len(set(names)) == len(names)
    assert all(len(reason) > 20 for _, reason in told)


def test_the_dependencies_that_run_are_told_apart_from_the_others() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    at_run_time = text_of("docs/dependencies.md").split("\n## ")[1]
    told = re.findall(r"^\| `([^`]+)`", at_run_time, re.MULTILINE)
    asked = [re.split(r"[<>=\[]", line)[0] for line in config["options"]["install_requires"].split() if line]
    assert sorted(told) == sorted(asked)


def anchors_of(path: Path) -> set[str]:
    """The anchors of a document's headings, as forges make them; those of a test file are its tests."""
    if path.suffix == ".py":
        return set(re.findall(r"^def (test_\w+)\(", path.read_text("utf-8"), re.MULTILINE))
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_between_our_files_leads_somewhere(name: str) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(text_of(name))):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (ROOT / name).parent / target if target else ROOT / name
        if not path.exists() or (anchor and anchor not in anchors_of(path)):
            broken.append(link)
    assert not broken, f"{name} links to what is not there: {broken}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_make_target_that_is_named_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    text, blocks = text_of(name), "\n".join(code_blocks(name, "sh"))
    named = {*re.findall(r"`make ([a-z]+)", text), *re.findall(r"^(?:\w+=\S+ )*make ([a-z]+)", blocks, re.MULTILINE)}
    assert named <= targets


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_that_is_named_exists(name: str) -> None:
    code = "\n".join([*re.findall(r"`([^`\n]+)`", text_of(name)), *code_blocks(name, "sh")])
    for command, options in re.findall(r"\bchatbubble ([a-z]+)((?: --[a-z]+)*)", code):
        assert command in main.commands, f"{name} names chatbubble {command}"
        known = {option for parameter in main.commands[command].params for option in parameter.opts}
        assert set(options.split()) <= known | {"--help"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_setting_that_is_named_exists(name: str) -> None:
    named = set(re.findall(r"CHATBUBBLE_[A-Z]+(?:_[A-Z]+)*", text_of(name)))
    assert named <= {item.name for item in describe()}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_python_and_json_in_the_documents_can_be_read(name: str) -> None:
    for block in code_blocks(name, "python"):
        ast.parse(block)
    for block in code_blocks(name, "json"):
        json.loads(block)


def test_the_documents_that_should_be_there_are_looked_at() -> None:
    assert {WIRE, SETTINGS, README, "docs/dependencies.md", "CHANGELOG.md", "SECURITY.md"} <= set(DOCUMENTS)
