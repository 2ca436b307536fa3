"""Writes chatbubble-<version>.cdx.json: what a deployment of this version is made of, in CycloneDX 1.6.

From the pins of requirements/run.txt and deploy.txt, with the hash of every file that pip may take for them. What an
extra alone asks for is optional; what only builds the widget is excluded: the widget ships no package of anybody else.
Its own files are told with their hashes, so that what a server gives out can be held against what was released.
Like the packages it is to lie beside, it holds no time and nothing random.

    python scripts/bill_of_materials.py FOLDER
"""

from __future__ import annotations

import base64
import json
import re
import sys
import uuid
from pathlib import Path
from typing import Any

import pins

ROOT = Path(__file__).resolve().parent.parent
# What a pinned set is to a deployment, in the words of the standard.
SETS = {"run": "required", "deploy": "optional"}
STATIC = ROOT / "backend" / "chatbubble" / "static"
BYTES_OF = {"sha512": "SHA-512", "sha384": "SHA-384", "sha256": "SHA-256"}

Component = dict[str, Any]


def version() -> str:
    """Chatbubble's, without importing it."""
    text = (ROOT / "backend" / "chatbubble" / "__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise LookupError("backend/chatbubble/__init__.py states no __version__")
    return found[1]


def plain_name(requirement: str) -> str:
    """The name in a requirement, spelt as pins spell it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=;~! ]", requirement)[0]).lower()


def component(kind: str, name: str, number: str, hashes: list[dict[str, str]], scope: str) -> Component:
    """A package of somebody else; `kind` is that of its address, `pypi` or `npm`."""
    address = f"pkg:{kind}/{name.replace('@', '%40')}@{number}"
    files: list[Component] = [{"type": "distribution", "url": address, "hashes": [one]} for one in hashes]
    named: Component = {
        "type": "library",
        "bom-ref": address,
        "name": name,
        "version": number,
        "purl": address,
        "scope": scope,
    }
    if len(hashes) == 1:
        return named | {"hashes": hashes}
    return named | {"externalReferences": files}


def python_packages() -> list[Component]:
    """What is pinned for a deployment, whichever Python and platform it has."""
    found = []
    for name, scope in SETS.items():
        text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
        for block in re.split(r"\n(?=[a-z0-9])", text)[1:]:
            package, number = re.match(r"([\w.-]+)==([\w.+!-]+)", block).groups()  # type: ignore[union-attr]
            hashes = [{"alg": "SHA-256", "content": digest} for digest in re.findall(r"sha256:([0-9a-f]{64})", block)]
            found.append(component("pypi", package, number, hashes, scope))
    return found


def widget_tools() -> list[Component]:
    """What a build of the widget fetches: none of it is in what is built."""
    packages = json.loads((ROOT / "widget" / "package-lock.json").read_text("utf-8"))["packages"]
    found = []
    for place, package in packages.items():
        if place and not package.get("dev"):
            name, hashes = place.split("node_modules/")[-1], [digest_of(package["integrity"])]
            found.append(component("npm", name, package["version"], hashes, "excluded"))
    return found


def widget_files() -> list[Component]:
    """The widget's own files, each with the hash that a browser would hold it against."""
    entries = json.loads((STATIC / "manifest.json").read_text("utf-8"))["files"]
    return [
        {
            "type": "file",
            "bom-ref": f"chatbubble/static/{entry['file']}",
            "name": f"chatbubble/static/{entry['file']}",
            "hashes": [digest_of(entry["integrity"])],
        }
        for entry in entries.values()
    ]


def digest_of(integrity: str) -> dict[str, str]:
    """What `sha384-...` of a page or a lock file says, in the words of the standard."""
    kind, _, digest = integrity.partition("-")
    return {"alg": BYTES_OF[kind], "content": base64.b64decode(digest).hex()}


def bill() -> dict[str, Any]:
    """The whole document."""
    number = version()
    us: Component = {
        "type": "application",
        "bom-ref": f"pkg:pypi/chatbubble@{number}",
        "name": "chatbubble",
        "version": number,
    }
    us |= {"purl": us["bom-ref"], "licenses": [{"license": {"id": "MIT"}}], "components": widget_files()}
    components = python_packages() + widget_tools()
    # The same contents give the same number, which the standard wants to be a UUID.
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([us, components], sort_keys=True))
    asked = {plain_name(line) for line in pins.wanted(pins.SETS["deploy"])}
    direct = [entry["bom-ref"] for entry in components if entry["name"] in asked and entry["scope"] != "excluded"]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": us},
        "components": components,
        # Ours alone: who asks for the others is a matter of the Python and the platform.
        "dependencies": [{"ref": us["bom-ref"], "dependsOn": direct}],
    }


def main(folder: str) -> int:
    """Write the file into `folder`; returns the exit status."""
    path = Path(folder) / f"chatbubble-{version()}.cdx.json"
    path.write_text(json.dumps(bill(), indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
