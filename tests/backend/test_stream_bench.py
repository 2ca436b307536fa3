"""The benchmark of the streams in short: that it counts right and sees what it should, never how long anything took."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from absent import end_without
from contenders import CONTENDERS, Launch, NotRunnable
from crowd import Client
from kept import Kept
from loads import LOADS, paced
from measure_streams import DOCS, write
from measuring import Bench
from results import Figures, Tally, described
from standin_model import Answer
from stream_goals import capacity, goals
from stream_tables import BEGIN, load_table, plots
from transcript import Count, Transcript, count
from wires import WIRES
from wording import TOKEN, question, understood

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SHORT = paced("short", 5, 50, tokens=20, spread_s=0.1)


def said(numbers: list[int]) -> bytes:
    """A chunked response whose tokens have these numbers, one a chunk."""
    tokens = [TOKEN % (number, 1_000_000 * number) for number in numbers]
    return HEAD + b"".join(b"%x\r\n%s\r\n" % (len(token), token) for token in tokens) + b"0\r\n\r\n"


def tally(*responses: bytes, wire: str = "plain", tokens: int = 5) -> Figures:
    """What is counted of clients that read these, each in one piece."""
    summed = Tally(WIRES[wire], tokens)
    for response in responses:
        summed.take(Client(b"", parts=[response], times_ns=[10_000_000_000]))
    return summed.figures()


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([1, 2, 3, 4, 5], Count(5, 0)),
        ([1, 2, 4, 5], Count(4, 1)),
        ([1, 2, 3, 4], Count(4, 1)),
        ([1, 2, 2, 3, 4, 5], Count(5, 0, doubled=1)),
        ([1, 2, 3, 4, 5, 1], Count(5, 0, doubled=1)),
        ([1, 3, 2, 4, 5], Count(5, 0, swapped=1)),
        ([1, 2, 3, 4, 5, 6], Count(5, 0, unknown=1)),
        ([0, 1, 2, 3, 4, 5], Count(5, 0, unknown=1)),
        ([], Count(0, 5)),
    ],
)
def test_a_lost_a_doubled_and_a_swapped_token_are_found(numbers: list[int], expected: Count) -> None:
    assert count(numbers, 5) == expected
    assert expected.is_exact == (numbers == [1, 2, 3, 4, 5])
    told = tally(said(numbers))
    assert (told["exact"], told["lost"], told["doubled"], told["swapped"], told["unknown"]) == (
        int(expected.is_exact),
        expected.lost,
        expected.doubled,
        expected.swapped,
        expected.unknown,
    )


def test_an_answer_that_was_cut_is_not_exact_even_with_all_its_tokens() -> None:
    told = tally(said([1, 2, 3, 4, 5])[:-5])
    assert (told["exact"], told["delivered"], told["faults"]) == (0, 5, {"cut": 1})


def test_a_refusal_is_named() -> None:
    told = tally(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}", b"")
    assert told["faults"] == {"status 503": 1, "no answer": 1}


def test_the_whole_text_at_the_end_is_no_token_said_twice() -> None:
    tokens = b"".join(TOKEN % (number, number) for number in range(1, 6))
    for summary, exact in ((tokens, 1), (b"", 1), (tokens[:-28], 0)):
        body = tokens + b"\nevent: done\ndata: " + summary
        told = tally(HEAD + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body), wire="chatbubble")
        assert (told["delivered"], told["doubled"], told["exact"]) == (5, 0, exact)


def test_each_token_has_the_time_at_which_its_last_byte_was_read() -> None:
    whole = said([1, 2, 3])
    for cut in range(1, len(whole)):
        heard = Transcript([whole[:cut], whole[cut:]], [1_000, 2_000])
        read = [token.read_us for token in heard.tokens()]
        ends = [whole.index(TOKEN % (number, 1_000_000 * number)) + len(TOKEN % (1, 1)) - 1 for number in (1, 2, 3)]
        assert read == [1 if end < cut else 2 for end in ends]


def test_a_stamp_across_two_chunks_is_read() -> None:
    token = TOKEN % (1, 77)
    for cut in range(1, len(token)):
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (token[:cut], token[cut:]))
        [heard] = Transcript([HEAD + chunks + b"0\r\n\r\n"], [5_000]).tokens()
        assert heard == (1, 77, 5)


def test_quantiles_are_those_of_the_numbers() -> None:
    assert described("delay", [1000 * number for number in range(1, 101)]) == {
        "delay_p50_ms": 50.0,
        "delay_p99_ms": 99.0,
        "delay_max_ms": 100.0,
    }
    assert described("delay", []) == {}


def test_what_is_asked_is_understood_and_said_in_the_words_of_the_wire() -> None:
    assert understood(WIRES["chatbubble"].ask(question(200, 50, 30))) == (200, 50, 30)
    answer = Answer(7, 3, 50)
    frames = [answer.take(1_000 * number) for number in range(4)]
    heard = Transcript([answer.head, *frames], [0] * 5)
    assert heard.is_whole
    assert [token.number for token in heard.tokens()] == [1, 2, 3]
    *data, done = [line.removeprefix("data: ") for line in heard.body.decode().split("\n\n")[:-1]]
    assert done == "[DONE]"
    deltas = [json.loads(each) for each in data]
    assert [each["choices"][0]["finish_reason"] for each in deltas[:-1]] == [None] * 4 + ["stop"]
    assert deltas[-1]["usage"]["completion_tokens"] == 3
    assert answer.is_over


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """Two servers and their runs, one that was not run, and nothing else."""
    kept = Kept(tmp_path / "streams.json")
    for load, delays in (("quiet", 5.0), ("shop", 20.0), ("evening", 40.0), ("busy", 160.0)):
        for name, cost in (("chatbubble", 10.0), ("nginx", 20.0)):
            runs = [ran(delay_p99_ms=delays, cpu_us=cost + spread) for spread in (0.0, 5.0, 1.0)]
            kept.put(load, name, runs, "a machine")
    kept.put("busy", "express", [], "a machine", "this machine has no Node")
    kept.put("busy", "fastapi", [ran(delivered=90, exact=4)], "another machine")
    return kept


def ran(**figures: float) -> Figures:
    """A run of five streams."""
    return {"streams": 5, "exact": 5, "expected": 100, "delivered": 100, "took_s": 1.0, "faults": {}, **figures}


def test_goals_are_reached_missed_or_not_measured(kept: Kept) -> None:
    found = {goal.what: (goal.measured, goal.is_reached) for goal in goals(kept)}
    assert found["`busy`: processor time per token against nginx"] == ("0.52 x", True)
    assert found["`busy`: processor time per token against express"] == ("not measured", None)
    assert found["`quiet`: added delay p99"] == ("5.0 ms", True)
    assert found["`busy`: added delay p99"] == ("160.0 ms", False)
    assert found["`busy`, memory: answers whole and exact"] == ("all", True)
    assert found["`busy`, Redis: answers whole and exact"] == ("", None)


def test_the_streams_that_a_server_bears_lie_between_two_loads(kept: Kept) -> None:
    bearable = capacity(kept, "chatbubble")
    assert bearable is not None
    assert 500 < bearable < 1000
    assert capacity(kept, "chatbubble-2") is None
    kept.put("busy", "chatbubble", [ran(delivered=50, delay_p99_ms=1.0)], "a machine")
    assert capacity(kept, "chatbubble") == 500


def test_who_was_not_run_or_is_behind_is_told(kept: Kept) -> None:
    rows = {row.split(" | ")[0].strip("| "): row for row in load_table(kept, LOADS["busy"]).splitlines()}
    assert "not run: this machine has no Node" in rows["Express + openai"]
    assert "4 of 5 | 90%" in rows["FastAPI + sse-starlette + openai"]
    assert "is behind" not in rows["Chatbubble"]
    assert "11.0 us (10.0 to 15.0)" in rows["Chatbubble"]
    kept.put("busy", "fastapi", [ran(delivered=90, delay_p99_ms=1.0)], "another machine")
    assert "is behind" in load_table(kept, LOADS["busy"])


def test_what_was_not_measured_this_time_is_kept(kept: Kept, tmp_path: Path) -> None:
    kept.save()
    again = Kept(tmp_path / "streams.json")
    again.put("quiet", "chatbubble", [ran(delay_p99_ms=7.0)], "a machine")
    assert again.numbers("quiet", "chatbubble", "delay_p99_ms") == [7.0]
    assert again.numbers("quiet", "nginx", "cpu_us") == [20.0, 25.0, 21.0]
    assert len(again.places()) == 2


def test_the_section_and_the_pictures_are_written_into_the_document(kept: Kept, tmp_path: Path) -> None:
    shutil.copy(DOCS / "performance.md", tmp_path)
    write(kept, tmp_path)
    document = (tmp_path / "performance.md").read_text("utf-8")
    assert "### `busy`: 1,000 streams, 50 tokens a second each" in document
    assert document.partition(BEGIN)[0] == (DOCS / "performance.md").read_text("utf-8").partition(BEGIN)[0]
    for name in plots(kept):
        points = ElementTree.parse(tmp_path / name).findall("{*}circle")  # noqa: S314 -- we wrote it
        assert len(points) == {"stream-cost.svg": 6, "stream-delay.svg": 6}[name]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A model, and whom one asks."""
    bench = Bench(tmp_path_factory.mktemp("bench"))
    yield bench
    bench.close()


@pytest.mark.parametrize("name", ["model", "nginx", "chatbubble"])
def test_a_server_is_measured(name: str, bench: Bench) -> None:
    try:
        told = bench.run(CONTENDERS[name], SHORT)
    except NotRunnable as lacking:
        end_without(str(lacking))
    assert (told["exact"], told["delivered"], told["faults"]) == (5, 100, {})
    assert told["cpu_us"] > 0
    assert told["model_share"] > 0
    assert told["load_share"] > 0
    assert 0 < told["delay_p50_ms"] <= told["delay_p99_ms"]
    assert told["first_p50_ms"] >= told["first_added_p50_ms"] > 0
    assert told["bytes_per_token"] > len(TOKEN % (1, 1))
    assert told["peak_mb"] > 0


def test_who_is_refused_does_not_wait_for_the_time_to_be_over(bench: Bench) -> None:
    told = bench.run(replace(CONTENDERS["model"], wire="plain"), SHORT)
    assert (told["exact"], told["delivered"], told["faults"]) == (0, 0, {"status 400": 5})


def test_a_server_that_does_not_start_is_told_with_its_own_words(bench: Bench) -> None:
    broken = replace(CONTENDERS["nginx"], launch=lambda _: Launch(["sh", "-c", "echo no such thing; exit 1"], {}))
    with pytest.raises(NotRunnable, match="did not start: no such thing"):
        bench.run(broken, SHORT)
