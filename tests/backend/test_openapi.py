"""The OpenAPI document is valid, tells of every route, and says what the code does."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from bodies import BAD, GOOD, Body
from hosting import SHOP, HostSite, Site
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from chatbubble import events
from chatbubble.body import parse_object
from chatbubble.errors import BadRequest
from chatbubble.feedback import parse_feedback
from chatbubble.openapi import build_document
from chatbubble.openapi_routes import OPERATIONS
from chatbubble.question import MESSAGE_CHARS
from chatbubble.views import ROUTES

DOCUMENT = build_document(ROUTES, "/api/ai", "1.0")
COMPONENTS = DOCUMENT["components"]["schemas"]


def takes(name: str, value: Any) -> bool:
    """Whether a value has the shape of this name."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": COMPONENTS}}
    return bool(Draft202012Validator(schema).is_valid(value))


def test_it_is_a_valid_openapi_3_1_document() -> None:
    assert [str(fault) for fault in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_a_broken_document_would_be_found() -> None:
    broken = json.loads(json.dumps(DOCUMENT))
    broken["paths"]["/chat"]["post"]["responses"]["200"].pop("description")
    assert list(OpenAPIV31SpecValidator(broken).iter_errors())


def test_every_route_is_told_of_and_no_other() -> None:
    assert set(OPERATIONS) == {(method, rule) for rule, views in ROUTES.items() for method in views}


def test_a_route_that_is_not_told_of_is_a_fault() -> None:
    with pytest.raises(KeyError, match="/news"):
        build_document({**ROUTES, "/news": ["GET"]}, "/api/ai", "1.0")


def test_each_operation_has_a_name_of_its_own() -> None:
    names = [operation.name for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("body", GOOD, ids=str)
def test_what_is_taken_has_the_documented_shape(body: Body) -> None:
    assert takes("Question", json.loads(body.data))


# What no schema can say: which characters are seen, halves of pairs, lengths without outer blanks, broken addresses.
UNSAID = {
    "a blank message", "line ends as message", "wide blanks as message", "zero-width signs as message",
    "direction signs as message", "tag signs as message", "control signs as message", "4,001 characters",
    "4,001 blanks and letters", "a high surrogate alone", "a low surrogate alone",
    "surrogates the wrong way round", "a broken address",
}  # fmt: skip
# The `$` of Python, by which this test looks, takes a line end before the end; that of JSON Schema does not.
UNSAID_HERE = {"a session with a line end", "a request with a line end", "a locale with a line end"}


def readable(body: Body) -> bool:
    """Whether a body is JSON, without what its readers do not agree on."""
    try:
        parse_object(body.data)
    except BadRequest:
        return False
    return True


def test_what_is_refused_has_another_shape_where_a_schema_can_say_so() -> None:
    fields_refused = [body for body in BAD if body.field and readable(body)]
    assert len(fields_refused) > 50
    taken = {body.name for body in fields_refused if takes("Question", json.loads(body.data))}
    assert taken == UNSAID | UNSAID_HERE


def test_the_shapes_of_feedback_are_those_that_are_taken() -> None:
    for rating in ("up", "down", None):
        fine = {"messageId": "msg_1", "rating": rating, "comment": None}
        assert takes("Feedback", fine)
        assert parse_feedback(json.dumps(fine).encode())[0] == "msg_1"
    for wrong in ({"rating": "sideways"}, {"messageId": "a b"}, {"comment": 5}):
        assert not takes("Feedback", {"messageId": "msg_1", "rating": "up", **wrong})


KINDS: dict[str, type] = {
    "Connected": events.Connected, "Token": events.Token, "Done": events.Done, "Failure": events.Error,
    "Sources": events.Sources, "Suggestions": events.Suggestions, "Reset": events.Reset,
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_the_events_have_their_fields(name: str) -> None:
    known = {item.name.replace("_", "") for item in fields(KINDS[name])}
    assert {field.lower() for field in COMPONENTS[name]["properties"]} == known


def test_the_longest_message_is_not_told_where_outer_blanks_do_not_count() -> None:
    assert takes("Question", {"message": " " + "x" * MESSAGE_CHARS, "sessionId": "s" * 16})


def test_it_is_served_to_pages_and_may_be_kept(site: Site) -> None:
    answer = site.call("GET", "/openapi.json", [("Origin", SHOP)])
    assert answer.status == 200
    assert answer.get("Content-Type") == "application/json"
    assert answer.get("Access-Control-Allow-Origin") == SHOP
    assert answer.get("Cache-Control") == "public, max-age=300"
    told = answer.json()
    assert told["servers"] == [{"url": "/api/ai"}]
    assert told["paths"] == json.loads(json.dumps(DOCUMENT["paths"]))
    assert site.call("GET", "/openapi.json", [("Origin", "https://evil.example")]).status == 403


def test_it_tells_where_the_routes_lie(host_site: HostSite) -> None:
    site = host_site(url_prefix="/shop/help")
    site.prefix = "/shop/help"
    assert site.call("GET", "/openapi.json").json()["servers"] == [{"url": "/shop/help"}]
