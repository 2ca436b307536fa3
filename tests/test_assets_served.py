"""The widget's files over HTTP: cached, compressed, open to every page, and nothing but them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from chatbubble.assets import STATIC, Assets
from chatbubble.errors import ConfigError, NotFound

Entries = dict[str, dict[str, Any]]


@pytest.fixture
def client(built: Path) -> Iterator[FlaskClient]:
    """A client of the smallest app that serves the widget."""
    app, widget = Flask(__name__), Assets.load(built)

    @app.get("/ai/widget.js")
    def launcher() -> Any:
        return widget.launcher(request.accept_encodings, request.if_none_match)

    @app.get("/ai/widget.mjs")
    def module() -> Any:
        return widget.module(request.accept_encodings, request.if_none_match)

    @app.get("/ai/assets/<path:name>")
    def file(name: str) -> Any:
        try:
            return widget.file(name, request.accept_encodings, request.if_none_match)
        except NotFound as error:
            return error.to_body(), error.status

    with app.test_client() as opened:
        yield opened


def test_the_launcher_is_cached_briefly_and_the_hashed_file_for_ever(client: FlaskClient, files: Entries) -> None:
    stable, hashed = client.get("/ai/widget.js"), client.get(f"/ai/assets/{files['widget.js']['file']}")
    assert stable.headers["Cache-Control"] == "public, max-age=300, stale-while-revalidate=86400"
    assert hashed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert stable.data == hashed.data


def test_the_module_form_has_a_stable_address_too(client: FlaskClient, files: Entries) -> None:
    assert client.get("/ai/widget.mjs").data == client.get(f"/ai/assets/{files['widget.mjs']['file']}").data


def test_what_is_for_other_builds_has_a_plain_name_and_is_cached_briefly(client: FlaskClient, built: Path) -> None:
    for name, kind in {
        "react.mjs": "text/javascript",
        "react.d.mts": "text/plain",
        "widget.d.mts": "text/plain",
    }.items():
        answer = client.get(f"/ai/assets/{name}")
        assert (answer.data, answer.mimetype) == ((built / name).read_bytes(), kind)
        assert answer.headers["Cache-Control"] == "public, max-age=300, stale-while-revalidate=86400"
        assert hashlib.sha256(answer.data).hexdigest()[:12] in answer.headers["ETag"]


def test_an_unchanged_launcher_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/ai/widget.js", headers={"Accept-Encoding": "br"})
    for etag in (first.headers["ETag"], f"W/{first.headers['ETag']}", f'"other", {first.headers["ETag"]}'):
        again = client.get("/ai/widget.js", headers={"Accept-Encoding": "br", "If-None-Match": etag})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]


def test_each_encoding_has_its_own_tag(client: FlaskClient) -> None:
    tags = {
        client.get("/ai/widget.js", headers={"Accept-Encoding": name}).headers["ETag"] for name in ("br", "gzip", "")
    }
    assert len(tags) == 3


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("br;q=0, *", "gzip"),
        ("*", "br"),
        ("identity;q=1.0, gzip;q=0.5", None),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("gzip;q=0", None),
        ("deflate", None),
        ("", None),
    ],
)
def test_the_encoding_is_the_one_the_client_likes_best(client: FlaskClient, accepted: str, sent: str | None) -> None:
    plain = client.get("/ai/widget.js").data
    response = client.get("/ai/widget.js", headers={"Accept-Encoding": accepted})
    decode = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[sent]
    assert response.headers.get("Content-Encoding") == sent
    assert response.headers["Vary"] == "Accept-Encoding"
    assert decode(response.data) == plain


def test_pages_of_any_origin_may_load_the_files(client: FlaskClient, files: Entries) -> None:
    for address in ("widget.js", *(f"assets/{entry[key]}" for entry in files.values() for key in ("file", "map"))):
        headers = client.get(f"/ai/{address}").headers
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Type"] == (
            "application/json" if address.endswith(".map") else "text/javascript; charset=utf-8"
        )


def test_the_source_map_is_found_from_both_addresses(client: FlaskClient, files: Entries) -> None:
    entry = files["widget.js"]
    assert client.get("/ai/widget.js").headers["SourceMap"] == f"assets/{entry['map']}"
    assert client.get(f"/ai/assets/{entry['file']}").headers["SourceMap"] == entry["map"]
    assert client.get(f"/ai/assets/{entry['map']}").get_json()["version"] == 3


def test_a_chat_file_of_another_build_leads_to_this_ones(client: FlaskClient, files: Entries) -> None:
    response = client.get("/ai/assets/chat.0123456789ab.mjs")
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (302, "*")
    assert response.headers["Location"] == files["chat.mjs"]["file"]


@pytest.mark.parametrize(
    "name",
    [
        "manifest.json",
        "chat.mjs",
        "widget.0123456789ab.js",
        "chat.0123456789ab.mjs.gz",
        "chat.\N{SUPERSCRIPT TWO}123456789ab.mjs",
        "../assets.py",
        "..%2fassets.py",
        "%2e%2e/errors.py",
        "static/manifest.json",
        "%00",
    ],
)
def test_nothing_else_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/ai/assets/{name}").status_code == 404


def test_a_widget_that_is_not_built_names_the_cure(tmp_path: Path, built: Path, files: Entries) -> None:
    with pytest.raises(ConfigError, match="make build"):
        Assets.load(tmp_path / "nothing")
    shutil.copytree(built, tmp_path / "static")
    (tmp_path / "static" / (files["chat.mjs"]["file"] + ".br")).unlink()
    with pytest.raises(ConfigError, match="make build"):
        Assets.load(tmp_path / "static")


def test_the_tag_names_the_stable_launcher(built: Path) -> None:
    tag = Assets.load(built).snippet("https://shop.example/api/ai/")
    assert tag == '<script async src="https://shop.example/api/ai/widget.js"></script>'


def test_the_pinned_tag_carries_the_integrity_of_the_file_it_names(
    client: FlaskClient, built: Path, files: Entries
) -> None:
    tag = Assets.load(built).snippet("https://shop.example/ai", pinned=True)
    name, integrity = re.findall(r'assets/([^"]+)"\s+integrity="([^"]+)" crossorigin="anonymous"', tag)[0]
    digest = hashlib.sha384(client.get(f"/ai/assets/{name}").data).digest()
    assert integrity == files["widget.js"]["integrity"] == "sha384-" + base64.b64encode(digest).decode()


def test_an_address_with_a_quote_is_none(built: Path) -> None:
    with pytest.raises(ConfigError, match="should be like https"):
        Assets.load(built).snippet('https://x/"onload="')


def test_the_package_serves_its_own_folder() -> None:
    base = "https://shop.example/api/ai"
    assert Assets.load().snippet(base) == Assets.load(STATIC).snippet(base)
