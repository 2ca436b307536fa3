"""The fuzzing of `make fuzz` in its short form, and that it would find what it looks for."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzzed_server import FuzzedServer, fuzzed_server
from parser_targets import PARSERS, Parser, feed
from raw_http import Answer, exchange
from request_campaign import Tally, find_fault, run_requests
from request_seeds import SEEDS, unseeded_routes
from schema_campaign import run_schema

JSON_HEADERS = (("content-type", "application/json"), ("x-content-type-options", "nosniff"))
RIGHT = b'{"error":{"code":"NOT_FOUND","message":"There is nothing.","retryable":false}}'
OURS = b"GET /api/ai/x HTTP/1.1\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FuzzedServer]:
    """A server to be fuzzed."""
    with fuzzed_server(tmp_path_factory.mktemp("fuzzed")) as opened:
        yield opened


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_bears_whatever_comes(name: str) -> None:
    feed(PARSERS[name], seed=1, count=2000)


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_takes_what_it_begins_with(name: str) -> None:
    for data in PARSERS[name].seeds:
        PARSERS[name].target(data)


def test_a_parser_that_does_not_bear_everything_is_found() -> None:
    def refuse_long(data: bytes) -> None:
        assert len(data) < 100, "too long"

    with pytest.raises(AssertionError, match=r"AssertionError for b.*too long"):
        feed(Parser(refuse_long, [b"short"]), seed=1, count=200)


def test_each_route_has_requests_to_begin_with() -> None:
    assert unseeded_routes() == set()


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(404, JSON_HEADERS, RIGHT), ""),
        (Answer(200, (), b"anything"), ""),
        (Answer(500, JSON_HEADERS, RIGHT), "status 500"),
        (Answer(404, JSON_HEADERS, b"<h1>Not Found</h1>"), "not the shape of an error"),
        (Answer(404, JSON_HEADERS, b'{"error":"no"}'), "not the shape of an error"),
        (Answer(404, JSON_HEADERS, b'{"error":{"code":"NOT_FOUND"}}'), "not the shape of an error"),
        (Answer(404, JSON_HEADERS[:1], RIGHT), "not the shape of an error"),
        (Answer(404, (("content-type", "text/html"), *JSON_HEADERS[1:]), RIGHT), "not the shape of an error"),
    ],
)
def test_a_wrong_answer_is_found(answer: Answer, fault: str) -> None:
    assert find_fault(OURS, answer) == fault


def test_a_late_answer_is_found() -> None:
    tally = Tally(too_long_s=1.0)
    tally.add(OURS, Answer(200, ()), 0.9)
    assert tally.fault_count == 0
    tally.add(OURS, Answer(200, ()), 1.1)
    assert tally.faults == [f"1.10 s for {OURS!r}"]


@pytest.mark.parametrize("route", [route for route in SEEDS if route != ("GET", "/stream")], ids=" ".join)
def test_the_requests_to_begin_with_are_in_order(server: FuzzedServer, route: tuple[str, str]) -> None:
    # What names a stream, a message or a person names none that there is; the file is one of an earlier build.
    expected = {"/chat/<stream_id>": 404, "/chat/<stream_id>/abort": 404, "/feedback": 404}
    expected |= {"/identify": 401, "/conversation/adopt": 401}
    for make in SEEDS[route]:
        answer = exchange(server.port, make(random.Random(1)))
        fine = 204 if route[0] == "DELETE" else 302 if "/assets" in route[1] else 200
        assert answer.status == expected.get(route[1], fine), answer


def test_mutated_requests_never_make_a_fault_of_ours(server: FuzzedServer) -> None:
    # How long answers take is looked at in the long form, on a machine that does nothing else.
    tally = run_requests(server, seed=1, count=1500, too_long_s=9.0)
    assert tally.faults == []
    assert tally.requests == 1500
    assert {"200", "400", "401", "404", "405"} <= tally.statuses.keys()


def test_schemathesis_finds_nothing_on_any_route(server: FuzzedServer, tmp_path: Path) -> None:
    ran = run_schema(server, tmp_path, seed=1, examples=3, phases="fuzzing")
    assert ran.is_clean, ran.said
    assert ran.operations == len(SEEDS) - 2
    assert ran.cases >= len(SEEDS)
    assert server.complaints == []
