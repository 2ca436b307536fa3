"""Schemathesis over every route of the OpenAPI document, in a process of its own: it knows nothing of gevent."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from fuzzed_server import FuzzedServer
from request_seeds import OPERATOR_TOKEN

# Not whether all that fits is taken: a schema cannot say which characters are seen. Nor what depends on others before.
_CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "unsupported_method", "allow_header_conformance", "negative_data_rejection",
)  # fmt: skip
_START = "import sys; from schemathesis.cli import schemathesis; sys.exit(schemathesis(prog_name='st'))"


@dataclass(frozen=True)
class SchemaRun:
    """What schemathesis said. `is_clean`: it found nothing."""

    is_clean: bool
    cases: int
    operations: int
    said: str


def run_schema(
    server: FuzzedServer, folder: Path, seed: int, examples: int, phases: str = "examples,coverage,fuzzing"
) -> SchemaRun:
    """So many cases for each operation but the one that never ends and, by schemathesis' own choice, the document's."""
    command = [
        sys.executable, "-c", _START, "run", f"http://127.0.0.1:{server.port}/api/ai/openapi.json",
        "--checks", ",".join(_CHECKS), "--max-response-time", "1", "--max-examples", str(examples),
        "--seed", str(seed), "--phases", phases,
        "--warnings", "off", "--no-color",
        "--header", f"Authorization: Bearer {OPERATOR_TOKEN}",
        "--exclude-operation-id", "listen",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    return SchemaRun(done.returncode == 0, _number(r"(\d+) generated", said), _number(r"(\d+) selected", said), said)


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    return int(found[1]) if found else 0
