"""Builds the widget: ES modules and style sheets in; hashed, minified, compressed files out.

webassets holds the bundles, esbuild makes them, terser makes them smaller still. The same sources
give the same bytes in any folder: nothing here writes a time, a path or a random name.

    python widget/assets.py             build unless the built files are current
    python widget/assets.py --force     build in any case
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import brotli
import toolchain
import zopfli.gzip
from sources import AS_THEY_ARE, HERE, SOURCES, STATIC, is_current, short_names, sources_hash
from webassets import Bundle, Environment
from webassets.exceptions import BuildError, BundleError, FilterError
from webassets.filter import Filter
from webassets.version import HashVersion

# The oldest browsers with constructed style sheets, which the widget cannot do without.
# They know Unicode's classes, though not each its newest characters, for which esbuild would spell patterns as strings.
TARGET = ("--target=chrome105,firefox105,safari16.4", "--supported:regexp-unicode-property-escapes=true")
# terser takes a twentieth off what esbuild leaves, after compression: it inlines what is used once. Three passes, since
# one inlining makes room for the next; function declarations side by side, since equal beginnings compress well.
# None of the unsafe options: they gained some ten bytes.
SMALLER = ("--compress", "passes=3,hoist_funs=true,ecma=2022", "--mangle", "--ecma=2022")
# Nor does it spell out names that nobody outside needs. Quoted ones are left alone.
SHORT_PROPS = ("--mangle-props", f"builtins=true,keep_quoted=strict,regex=/^({'|'.join(short_names())})$/")
NAME_CACHE = "names.json"
# No `url`, as there is no trailing comment: the server names the map in a header.
MAP = ("--source-map", "content='built/entry.js.map',includeSources=true,root='chatbubble:///'")


class Form(NamedTuple):
    """The shape of a built file, in the words of both tools."""

    esbuild: tuple[str, ...]
    terser: tuple[str, ...]


# A classic script is read in whatever encoding its page has, so it stays ASCII. Functions that run at once stand in
# parentheses there, by which V8 knows not to parse them twice. A module is always UTF-8.
SCRIPT = Form(("--format=iife", "--charset=ascii"), ("--format", "ascii_only=true,wrap_iife=true"))
MODULE = Form(("--format=esm", "--charset=utf8"), ("--module",))
# Of custom properties: before their value, and before what stands in for one.
_BLANKS = re.compile(r"(--[\w-]+): |(var\(--[\w-]+,) ")
# What is fetched once the chat is there.
LATER = ("extras", "sync", "actions", "menu", "identity", "detour")


def run_esbuild(arguments: Iterable[str], folder: Path) -> None:
    """Run esbuild in `folder`.

    Raises:
        FilterError: it refused or warned; the text is esbuild's own, with file and line.
    """
    command = [str(toolchain.esbuild()), *arguments, *TARGET, "--minify", "--log-level=warning", "--color=false"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
    if result.returncode != 0 or result.stderr.strip():
        raise FilterError(f"esbuild does not accept the widget's sources:\n\n{result.stderr.strip()}")


def run_terser(arguments: Iterable[str], folder: Path) -> None:
    """Run terser in `folder`.

    Raises:
        FilterError: it refused; the text is terser's own.
    """
    command = [*toolchain.terser(), *arguments, *SMALLER, *SHORT_PROPS, *MAP, "--name-cache", NAME_CACHE]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
    if result.returncode != 0:
        raise FilterError(f"terser does not accept what esbuild made:\n\n{result.stderr.strip()}")
    # Properties are called the same in all files. Variables are each file's own.
    cache = folder / NAME_CACHE
    cache.write_text(json.dumps({"props": json.loads(cache.read_text("utf-8"))["props"]}), "utf-8")


class Bundler(Filter):  # type: ignore[misc]
    """Entry module in, bundled and minified file out; the source map is kept for the caller."""

    name = "bundler"
    max_debug_level = None  # runs always: a browser cannot use the unbundled sources

    def __init__(self, form: Form, *defines: str) -> None:
        super().__init__()
        self.form = form
        self.defines = defines
        self.source_map = ""

    def unique(self) -> tuple[str, ...]:
        """What tells two bundlers of one build apart."""
        return (*self.form.esbuild, *self.defines)

    def open(self, out: TextIO, source_path: str, **_: Any) -> None:
        """Bundle the module at `source_path`, somewhere in the staged `src` folder."""
        entry = Path(source_path)
        folder = next(parent.parent for parent in entry.parents if parent.name == "src")
        shape = ["--bundle", "--legal-comments=none", "--loader:.css=text", "--outfile=built/entry.js"]
        # `external`: no trailing comment, which would need the map's name before it is known.
        maps = ["--sourcemap=external", "--sources-content=true"]
        run_esbuild([entry.relative_to(folder).as_posix(), *shape, *maps, *self.form.esbuild, *self.defines], folder)
        run_terser(["built/entry.js", "--output", "built/smaller.js", *self.form.terser], folder)
        out.write((folder / "built/smaller.js").read_text("utf-8"))
        self.source_map = (folder / "built/smaller.js.map").read_text("utf-8")


def stage(sources: Path, folder: Path) -> Path:
    """Copy the sources to `folder`/src, with every style sheet minified already.

    Modules import style sheets as text, and esbuild does not minify what it takes as text. So
    the sheets go first, on their own, and the modules are bundled from the copy.
    """
    staged = folder / "src"
    shutil.copytree(sources, staged)
    languages = [path.stem for path in sorted((staged / "strings").glob("*.js"))]
    toolchain.run_node([str(HERE / "list_words.js"), str(staged / "strings"), *languages])
    sheets = sorted(staged.rglob("*.css"))
    if sheets:
        names = [sheet.relative_to(folder).as_posix() for sheet in sheets]
        run_esbuild([*names, "--charset=utf8", "--outbase=.", "--outdir=.", "--allow-overwrite"], folder)
        for sheet in sheets:
            # esbuild keeps the blanks of custom properties, where they might mean something; ours mean nothing.
            text = _BLANKS.sub(lambda found: found[2] or f"{found[1]}:", sheet.read_text("utf-8"))
            sheet.write_text(text.strip(), "utf-8")
    return staged


def environment(staged: Path, output: Path) -> Environment:
    """The webassets environment: from the staged sources to `output`, named by content."""
    return Environment(
        directory=str(output),
        url="",
        load_path=[str(staged)],
        versions=HashVersion(length=12, hash=hashlib.sha256),
        manifest=False,
        cache=False,
    )


def compress(path: Path) -> dict[str, int]:
    """Write `path` again as .gz and .br beside it, as small as it gets; returns the sizes in bytes."""
    content = path.read_bytes()
    zipped: bytes = zopfli.gzip.compress(content)
    brotlied: bytes = brotli.compress(content, quality=11, mode=brotli.MODE_TEXT)
    path.with_name(path.name + ".gz").write_bytes(zipped)
    path.with_name(path.name + ".br").write_bytes(brotlied)
    return {"bytes": len(content), "gzip": len(zipped), "brotli": len(brotlied)}


def make(assets: Environment, entry: str, pattern: str, form: Form, *defines: str) -> dict[str, Any]:
    """Build one bundle with its map and its compressed forms; returns its manifest entry.

    Raises:
        FilterError, BuildError, BundleError: the sources are at fault, and how.
    """
    bundler = Bundler(form, *defines)
    bundle = Bundle(entry, filters=[bundler], output=pattern, depends="**/*")
    assets.register(pattern, bundle)
    bundle.build(force=True)
    path = Path(bundle.resolve_output(assets, version=bundle.version))
    path.with_name(path.name + ".map").write_text(bundler.source_map, "utf-8")
    digest = base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode("ascii")
    names = {"file": path.name, "map": path.name + ".map", "integrity": f"sha384-{digest}"}
    return names | compress(path)


def make_parts(assets: Environment, staged: Path) -> dict[str, dict[str, Any]]:
    """Build what the chat fetches later; returns the manifest's entries by name.

    One hash, that of all of them, names these files: so the chat needs to know one, not forty.
    """
    words = {path.name.removesuffix(".list.js"): path for path in sorted((staged / "strings").glob("*.list.js"))}
    sources = {name: path for name, path in words.items() if not name.startswith("en")} | {
        name: staged / f"{name}.js" for name in LATER
    }
    parts = {
        name: make(assets, source.relative_to(staged).as_posix(), f"{name}.%(version)s.mjs", MODULE)
        for name, source in sources.items()
    }
    contents = "".join(sorted(entry["integrity"] for entry in parts.values()))
    version = hashlib.sha256(contents.encode()).hexdigest()[:12]
    for name, entry in parts.items():
        old, file = entry["file"], f"{name}.{version}.mjs"
        for path in Path(assets.directory).glob(f"{old}*"):
            path.rename(path.with_name(path.name.replace(old, file)))
        entry |= {"file": file, "map": f"{file}.map"}
    return parts


def bundle_all(assets: Environment, staged: Path) -> dict[str, dict[str, Any]]:
    """Build every file; returns the manifest's entries by their stable names."""
    locales = sorted(path.name.split(".")[0] for path in (staged / "strings").glob("*.more.list.js"))
    known = f"--define:LOCALES={json.dumps(' '.join(locales))}"
    # For the names that its properties get: the chat is to have the shortest.
    make(assets, "widget.js", "chat.draft.mjs", MODULE, known, "--define:PARTS_VERSION='draft'")
    parts = make_parts(assets, staged)
    version = json.dumps(parts[LATER[0]]["file"].split(".")[-2])
    chat = make(assets, "widget.js", "chat.%(version)s.mjs", MODULE, known, f"--define:PARTS_VERSION={version}")
    # The launcher has to know which chat file belongs to it.
    define = f"--define:CHAT_URL={json.dumps('assets/' + chat['file'])}"
    launcher = make(assets, "embed.js", "widget.%(version)s.js", SCRIPT, define)
    module = make(assets, "index.js", "widget.%(version)s.mjs", MODULE, define)
    files = {"chat.mjs": chat, "widget.js": launcher, "widget.mjs": module}
    return files | {f"{name}.mjs": entry for name, entry in parts.items()}


def build(static: Path = STATIC, sources: Path = SOURCES) -> dict[str, Any]:
    """Build everything, then put it in place of what was in `static`; returns the manifest.

    A build that fails leaves the earlier files as they were.

    Raises:
        FilterError, BuildError, BundleError: the sources are at fault, and how.
        ToolMissing: esbuild, or terser with its Node, cannot be had.
    """
    with tempfile.TemporaryDirectory(prefix="chatbubble-") as name:
        output = Path(name) / "static"
        staged = stage(sources, Path(name))
        files = bundle_all(environment(staged, output), staged)
        for file, source in AS_THEY_ARE.items():
            shutil.copyfile(source, output / file)
        manifest = {"files": files, "plain": sorted(AS_THEY_ARE), "sources": sources_hash(sources)}
        text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
        (output / "manifest.json").write_text(text, "utf-8")
        for draft in output.glob("chat.draft.*"):
            draft.unlink()
        shutil.rmtree(static, ignore_errors=True)
        shutil.copytree(output, static)
    return manifest


def main(arguments: list[str]) -> int:
    """Build, and say what came of it; returns the exit status."""
    if "--force" not in arguments and is_current():
        return 0
    try:
        manifest = build()
    except (FilterError, BuildError, BundleError, toolchain.ToolMissing) as error:
        print(error, file=sys.stderr)
        return 1
    for name, entry in manifest["files"].items():
        print(f"{name:<18} {entry['file']:<35} {entry['bytes']:>7,} bytes, {entry['gzip']:>6,} with gzip")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
