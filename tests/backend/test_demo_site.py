"""The demo shop: every page and link is there, under its strict policy, and the demo answers agree with it."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest
from flask.testing import FlaskClient

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "demo-site"))

import shop  # noqa: E402 -- beside the site, not in a package
from server import create_site, policy  # noqa: E402

from chatbubble.providers.demo import ANSWERS  # noqa: E402

BACKEND = "http://127.0.0.1:8000"
STATIC = ROOT / "demo-site" / "static"
PRODUCT_PATHS = [f"/shop/{product.slug}" for product in shop.PRODUCTS]
SHOP_PATHS = ["/", "/shop", "/size-guide", "/delivery", "/about", "/zh", *PRODUCT_PATHS]
PATHS = [*SHOP_PATHS, "/playground"]
KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "ico": "image/svg+xml"}
VOID = {"meta", "link", "img", "source", "br", "input"}


class Page(HTMLParser):
    """The elements of a page, in order; refuses a tag that is closed out of turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.inline_text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attributes}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in {"script", "style"}:
            self.inline_text.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.elements if attribute in attributes]


@pytest.fixture
def site() -> FlaskClient:
    return create_site(BACKEND).test_client()


def read(site: FlaskClient, path: str) -> Page:
    with site.get(path) as response:
        assert response.status_code == 200, path
        return Page(response.get_data(as_text=True))


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_well_formed_and_says_its_language(site: FlaskClient, path: str) -> None:
    page = read(site, path)
    assert page.all("html") == [{"lang": "zh-CN" if path == "/zh" else "en"}]
    for once in ("title", "h1", "main", "header", "footer"):
        assert len(page.all(once)) >= 1, once
    assert len(page.all("h1")) == len(page.all("main")) == 1
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {name for names in page.values("aria-labelledby") for name in names.split()} <= set(ids)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_can_be_read_without_seeing_it(site: FlaskClient, path: str) -> None:
    page = read(site, path)
    assert page.elements[[tag for tag, _ in page.elements].index("body") + 1][1]["href"] == "#content"
    assert all("alt" in image and "width" in image and "height" in image for image in page.all("img"))
    assert all(image["alt"] for image in page.all("img") if "products/" in image["src"])
    assert all("aria-label" in navigation for navigation in page.all("nav"))
    assert len(page.all("table")) == len(page.all("caption"))
    assert all("scope" in cell for cell in page.all("th"))


@pytest.mark.parametrize("path", [*SHOP_PATHS, "/nowhere", "/static/style.css", "/favicon.ico"])
def test_every_response_carries_the_policy(site: FlaskClient, path: str) -> None:
    with site.get(path) as response:
        assert response.headers["Content-Security-Policy"] == (
            "default-src 'none'; style-src 'self'; img-src 'self'; "
            "script-src http://127.0.0.1:8000; connect-src http://127.0.0.1:8000; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            "require-trusted-types-for 'script'; trusted-types 'none'; report-uri /csp-report"
        )


def test_the_playground_is_the_one_page_with_a_script_of_the_sites_own(site: FlaskClient) -> None:
    with site.get("/playground") as response:
        allowed = response.headers["Content-Security-Policy"]
    assert allowed == policy(BACKEND).replace("script-src ", "script-src 'self' ")
    page = read(site, "/playground")
    assert page.all("script") == [{"type": "module", "src": "/static/playground.js"}]
    assert "".join(page.inline_text).strip() == ""
    (form,) = page.all("form")
    assert form["data-module"] == f"{BACKEND}/api/ai/widget.mjs"


@pytest.mark.parametrize("path", SHOP_PATHS)
def test_nothing_is_inline_and_nothing_is_foreign_but_the_widget(site: FlaskClient, path: str) -> None:
    page = read(site, path)
    assert "".join(page.inline_text).strip() == ""
    assert page.all("style") == []
    assert [name for _, attributes in page.elements for name in attributes if name == "style" or name[:2] == "on"] == []
    (widget,) = page.all("script")
    assert widget["src"] == f"{BACKEND}/api/ai/widget.js"
    assert "async" in widget
    assert {name for name in widget if name.startswith("data-")} == {"data-title", "data-greeting", "data-accent"}
    own = [*page.values("href"), *page.values("srcset"), *(image["src"] for image in page.all("img"))]
    assert all(re.match(r"/|#|mailto:|tel:", address) for address in own)


def test_every_internal_link_leads_somewhere(site: FlaskClient) -> None:
    waiting, pages = ["/"], {}
    links: set[str] = set()
    while waiting:
        path = waiting.pop()
        pages[path] = page = read(site, path)
        addresses = [
            urljoin(path, link["href"]) for link in page.all("a") if not re.match("mailto:|tel:", link["href"])
        ]
        links.update(addresses)
        new = {urldefrag(address).url for address in addresses} - pages.keys() - set(waiting)
        waiting.extend(sorted(new))
    assert set(pages) == set(PATHS)
    for address in links:
        path, fragment = urldefrag(address)
        assert not fragment or fragment in pages[path].values("id"), address


def test_every_file_a_page_needs_is_there(site: FlaskClient) -> None:
    pages = [read(site, path) for path in PATHS]
    files = {link["href"] for page in pages for link in page.all("link")}
    files |= {script["src"] for page in pages for script in page.all("script") if script["src"].startswith("/")}
    files |= {image["src"] for page in pages for image in page.all("img")}
    files |= {source["srcset"] for page in pages for source in page.all("source")} | {"/favicon.ico"}
    for file in sorted(files):
        with site.get(file) as response:
            assert response.status_code == 200, file
            assert response.mimetype == KINDS[file.rpartition(".")[2]]
    unused = {f"/static/{path.relative_to(STATIC)}" for path in STATIC.rglob("*.*")} - files
    assert unused == {"/static/signpost.svg"}, "only the page for lost visitors is missing above"


@pytest.mark.parametrize("path", ["/nowhere", "/shop/nothing", "/zh/"])
def test_a_wrong_address_gets_the_page_for_lost_visitors(site: FlaskClient, path: str) -> None:
    with site.get(path) as response:
        assert response.status_code == 404
        assert "Off the path" in response.get_data(as_text=True)


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.svg")), ids=lambda path: path.stem)
def test_a_drawing_is_only_a_drawing(path: Path) -> None:
    for element in ET.fromstring(path.read_text("utf-8")).iter():  # noqa: S314 -- our own files
        assert element.tag.rpartition("}")[2] not in {"script", "style", "image", "foreignObject", "use"}
        assert not [name for name in element.attrib if name == "style" or "href" in name or name.startswith("on")]


def test_the_policy_follows_the_backend() -> None:
    assert "script-src https://chat.example; connect-src https://chat.example;" in policy("https://chat.example")
    with create_site("https://chat.example", "/bubble").test_client().get("/") as response:
        assert 'src="https://chat.example/bubble/widget.js"' in response.get_data(as_text=True)


@pytest.mark.parametrize("backend", ["", "chat.example", "http://a b", "http://a; script-src *", "http://a/path"])
def test_a_backend_that_is_no_origin_is_refused(backend: str) -> None:
    with pytest.raises(ValueError, match="should be an origin"):
        create_site(backend)


def test_violation_reports_are_counted_listed_and_forgotten(site: FlaskClient) -> None:
    report = {"csp-report": {"violated-directive": "script-src", "blocked-uri": "inline"}}
    assert site.get("/csp-reports").json == {"count": 0, "reports": []}
    for _ in range(101):
        assert site.post("/csp-report", json=report, content_type="application/csp-report").status_code == 204
    listed = site.get("/csp-reports").json
    assert listed == {"count": 101, "reports": [report] * 100}
    assert site.delete("/csp-reports").status_code == 204
    assert site.get("/csp-reports").json == {"count": 0, "reports": []}


def test_a_report_that_is_no_report_is_refused(site: FlaskClient) -> None:
    assert site.post("/csp-report", data="{").status_code == 400
    assert site.post("/csp-report", data="[" + "1," * 9000 + "1]").status_code == 413
    assert site.get("/csp-reports").json == {"count": 0, "reports": []}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_demo_answers_agree_with_the_shop(language: str) -> None:
    column = 0 if language == "en" else 1
    answers = ANSWERS[language]
    for row in shop.HOURS:
        assert f"| {row[column]} | {row[2 + column]} |" in answers["hours"]
    for rate in shop.SHIPPING:
        assert f"| {rate[column]} | {rate[2 + column]} | {rate[4]} |" in answers["shipping"]
    for sizes in shop.CLOTHING_CM:
        assert f"| {' | '.join(sizes)} |" in answers["sizes"]
    for product in shop.PRODUCTS:
        assert re.search(
            rf"\[{product.name} [^\]]+\]\(/shop/{product.slug}\)[,，]\s?{product.price}\b", answers["products"]
        )
    assert shop.EMAIL in answers["contact"]
    assert shop.PHONE_LINK in answers["contact"]


def test_every_link_of_a_demo_answer_leads_somewhere(site: FlaskClient) -> None:
    links = {link for texts in ANSWERS.values() for text in texts.values() for link in re.findall(r"\]\((.+?)\)", text)}
    assert len(links) > 10
    for link in links - {f"mailto:{shop.EMAIL}", f"tel:{shop.PHONE_LINK}"}:
        path, fragment = urldefrag(link)
        assert not fragment or fragment in read(site, path).values("id"), link
        read(site, path)


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, as WCAG 2 defines it."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_of_wcag_aa(scheme: str) -> None:
    blocks = re.findall(r":root \{(.*?)\}", (STATIC / "style.css").read_text("utf-8"), re.DOTALL)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", blocks[scheme == "dark"]))
    grounds = ("paper", "surface", "sunk", "sky")
    pairs = [(text, ground) for text in ("ink", "ink-soft", "link") for ground in grounds]
    pairs += [("on-moss", "moss"), ("on-moss", "moss-dark"), ("on-notice", "notice")]
    assert {pair: contrast(*(colours[name] for name in pair)) for pair in pairs if text_is_faint(colours, pair)} == {}
    assert all(
        contrast(colours[edge], colours[ground]) >= 3 for edge in ("heather", "control") for ground in grounds[:2]
    )


def text_is_faint(colours: dict[str, str], pair: tuple[str, str]) -> bool:
    return contrast(colours[pair[0]], colours[pair[1]]) < 4.5
