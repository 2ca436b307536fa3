"""The built widget as HTTP answers: stable launcher, hashed files, snippet for the page.

Everything is read into memory once, about 200 KB: answering never touches the disk, and only
names that the manifest lists exist, so no path ever comes from a request.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Response
from werkzeug.datastructures import Accept, ETags

from .errors import ConfigError, NotFound

STATIC = Path(__file__).with_name("static")
SCRIPT_TYPE = "text/javascript; charset=utf-8"
MAP_TYPE = "application/json"
PLAIN_TYPES = {".mjs": SCRIPT_TYPE, ".mts": "text/plain; charset=utf-8"}
STABLE = "public, max-age=300, stale-while-revalidate=86400"
IMMUTABLE = "public, max-age=31536000, immutable"
# Scheme, host and path; nothing that a script's address would have to come before.
_BASE = re.compile(r"https?://([\w-]+(\.[\w-]+)*\.?|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?(/[^\s?#\\\"'<>]*)?")
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
CHAT_NAME = re.compile(r"chat\.[0-9a-f]{12}\.mjs", re.ASCII)


@dataclass(frozen=True, slots=True)
class AssetFile:
    """One built file, in every encoding it was written in; `""` is the plain one."""

    name: str
    content_type: str
    bodies: dict[str, bytes]
    integrity: str | None
    source_map: str | None
    digest: str


class Assets:
    """The widget's files, ready to be served. Stateless after loading: share one per app."""

    def __init__(self, stable: dict[str, AssetFile], hashed: dict[str, AssetFile], plain: dict[str, AssetFile]) -> None:
        self._stable = stable
        self._hashed = hashed
        self._plain = plain

    @classmethod
    def load(cls, folder: Path = STATIC) -> Assets:
        """Read the manifest and every file it names.

        Raises:
            ConfigError: the widget is not built, or only in part.
        """
        try:
            manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
            entries = manifest["files"]
            stable = {name: _read_script(folder, entry) for name, entry in entries.items()}
            maps = [_read_map(folder, entry) for entry in entries.values()]
            plain = {name: _read_plain(folder, name, PLAIN_TYPES[Path(name).suffix]) for name in manifest["plain"]}
        except (FileNotFoundError, ValueError, KeyError) as cause:
            raise ConfigError(f"The widget is not built: run `make build`. ({cause!r} in {folder})") from cause
        return cls(stable, {asset.name: asset for asset in [*stable.values(), *maps]}, plain)

    def launcher(self, accept_encoding: Accept, if_none_match: ETags) -> Response:
        """`GET /widget.js`: today's launcher, cached for minutes.

        Args:
            accept_encoding: `request.accept_encodings`.
            if_none_match: `request.if_none_match`.
        """
        return _answer(self._stable["widget.js"], "assets/", STABLE, accept_encoding, if_none_match)

    def module(self, accept_encoding: Accept, if_none_match: ETags) -> Response:
        """`GET /widget.mjs`: the same widget as an ES module that exports `mount`."""
        return _answer(self._stable["widget.mjs"], "assets/", STABLE, accept_encoding, if_none_match)

    def file(self, name: str, accept_encoding: Accept, if_none_match: ETags) -> Response:
        """`GET /assets/<name>`: a file whose name holds its hash, cached for a year.

        What integrators' own builds take, `react.mjs` and the types, has a plain name and is cached for minutes.

        The chat file of another build redirects to this build's: a launcher from before a
        deploy, or from the other half of one, must still open.

        Raises:
            NotFound: this build has no such file.
        """
        asset = self._hashed.get(name)
        if asset is not None:
            return _answer(asset, "", IMMUTABLE, accept_encoding, if_none_match)
        if name in self._plain:
            return _answer(self._plain[name], "", STABLE, accept_encoding, if_none_match)
        if CHAT_NAME.fullmatch(name) is None:
            raise NotFound
        moved = {"Location": self._stable["chat.mjs"].name, "Cache-Control": STABLE, "Access-Control-Allow-Origin": "*"}
        return Response(status=302, headers=moved)

    def snippet(self, base_url: str, *, pinned: bool = False) -> str:
        """The script tag for a page.

        Args:
            base_url: where the routes are mounted, for example `https://shop.example/api/ai`.
            pinned: name today's launcher with its integrity, so that the browser refuses any
                other; the tag must then be renewed after each upgrade.

        Raises ConfigError when `base_url` is not an address that a page can load from.
        """
        if not _BASE.fullmatch(base_url):
            raise ConfigError(f"--url should be like https://chat.example.com/api/ai, but it is {base_url!r:.80}")
        base = html.escape(base_url.rstrip("/"))
        if not pinned:
            return f'<script async src="{base}/widget.js"></script>'
        launcher = self._stable["widget.js"]
        return (
            f'<script async src="{base}/assets/{launcher.name}"\n'
            f'  integrity="{launcher.integrity}" crossorigin="anonymous"></script>'
        )


def _read_script(folder: Path, entry: dict[str, Any]) -> AssetFile:
    name = entry["file"]
    bodies = {"": (folder / name).read_bytes()}
    bodies |= {encoding: (folder / (name + suffix)).read_bytes() for encoding, suffix in ENCODINGS}
    return AssetFile(name, SCRIPT_TYPE, bodies, entry["integrity"], entry["map"], _digest(bodies[""]))


def _read_map(folder: Path, entry: dict[str, Any]) -> AssetFile:
    return _read_plain(folder, entry["map"], MAP_TYPE)


def _read_plain(folder: Path, name: str, content_type: str) -> AssetFile:
    content = (folder / name).read_bytes()
    return AssetFile(name, content_type, {"": content}, None, None, _digest(content))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _choose_encoding(asset: AssetFile, accepted: Accept) -> str:
    """The encoding the client likes best; among equals the smallest. `""` when in doubt."""
    plain = accepted.quality("identity") if "identity" in accepted.values() else 0
    offers = [(accepted.quality(encoding), encoding) for encoding, _ in ENCODINGS if encoding in asset.bodies]
    quality, encoding = max(offers, key=lambda offer: offer[0], default=(0, ""))
    return encoding if quality > 0 and quality >= plain else ""


def _answer(asset: AssetFile, map_folder: str, caching: str, accepted: Accept, known: ETags) -> Response:
    encoding = _choose_encoding(asset, accepted)
    etag = f"{asset.digest}-{encoding or 'plain'}"
    response = Response(asset.bodies[encoding], content_type=asset.content_type)
    # A compressing proxy turns our tag into a weak one, and comes back with that.
    if known.contains_weak(etag):
        response = Response(status=304)
        del response.headers["Content-Type"]
    elif encoding:
        response.headers["Content-Encoding"] = encoding
    response.set_etag(etag)
    response.headers["Cache-Control"] = caching
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Module scripts are fetched with CORS by pages of any origin, isolated ones included.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if asset.source_map:
        response.headers["SourceMap"] = map_folder + asset.source_map
    return response
