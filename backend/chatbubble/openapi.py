"""The OpenAPI document: what the routes are, for programs. Pure: a table of routes in, a document out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .errors import ChatbubbleError
from .openapi_routes import JSON, OPERATIONS, PARAMETERS, Operation
from .openapi_schemas import SCHEMAS, SESSION_PATTERN, Schema, ref

_NAMES = {"stream_id": "streamId", "path:name": "file"}


def build_document(routes: Mapping[str, Iterable[str]], prefix: str, version: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these addresses.

    Args:
        routes: the methods of each address, as in `views.ROUTES`.
        prefix: the address under which they lie.
        version: of Chatbubble.

    Raises:
        KeyError: a route is not told of in `OPERATIONS`.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Chatbubble",
            "version": version,
            "description": "Streamed answers for a chat bubble on any page. docs/wire.md tells what no schema can.",
        },
        "servers": [{"url": prefix or "/"}],
        "paths": {
            _address(rule): {method.lower(): _operation(OPERATIONS[method, rule]) for method in methods}
            for rule, methods in routes.items()
        },
        "components": {
            "schemas": SCHEMAS,
            "parameters": dict(PARAMETERS),
            "securitySchemes": {
                "session": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": f"A session id, which the client makes up at random: {SESSION_PATTERN}",
                },
                "operator": {"type": "http", "scheme": "bearer", "description": "CHATBUBBLE_OPERATOR_TOKEN"},
            },
        },
    }


def _address(rule: str) -> str:
    return re.sub(r"<([\w:]+)>", lambda found: f"{{{_NAMES[found[1]]}}}", rule)


def _operation(operation: Operation) -> Schema:
    told: Schema = {"operationId": operation.name, "summary": operation.summary, "responses": _responses(operation)}
    if operation.parameters:
        told["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in operation.parameters]
    if operation.body:
        told["requestBody"] = {"required": True, "content": {JSON: {"schema": ref(operation.body)}}}
    if operation.access:
        told["security"] = [{operation.access: []}]
    return told


def _responses(operation: Operation) -> Schema:
    told: Schema = {}
    for kind in operation.errors:
        told.setdefault(str(kind.status), []).append(kind)
    refusals = {status: _refusal(kinds) for status, kinds in told.items()}
    return dict(
        sorted({**refusals, **{str(status): _answer(*content) for status, content in operation.gives.items()}}.items())
    )


def _answer(media_type: str, schema: str) -> Schema:
    if not media_type:
        return {"description": "Without a body."}
    content = {"schema": ref(schema)} if schema else {}
    return {"description": "As asked for.", "content": {media_type: content}}


def _refusal(kinds: list[type[ChatbubbleError]]) -> Schema:
    codes = [kind.code for kind in kinds]
    of_these = {"properties": {"error": {"properties": {"code": {"enum": codes}}}}}
    refusal: Schema = {
        "description": " ".join(f"{kind.code}: {kind.message}" for kind in kinds),
        "content": {JSON: {"schema": {"allOf": [ref("Error"), of_these]}}},
    }
    if kinds[0].status in (429, 503):
        seconds = {"description": "in so many seconds", "schema": {"type": "integer", "minimum": 0}}
        refusal["headers"] = {"Retry-After": seconds}
    return refusal
