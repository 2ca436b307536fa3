"""`GET /metrics` after real turns, read with Prometheus's own parsers, and the page that tells what each number is."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import gevent
import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse
from serving import Serve, Served
from stream_client import Connection, Reply
from turning import Turns

from chatbubble.clients import Clients
from chatbubble.errors import StoreUnavailable, UpstreamTimeout
from chatbubble.hub_lag import HubLag
from chatbubble.leases import Claim, NoLeases
from chatbubble.measures import HUB_LAG_S, Histogram
from chatbubble.metrics import Metrics
from chatbubble.records import Answer, Finish, FinishReason, Question, Turn, TurnState, Usage
from chatbubble.takeover import MAX_ATTEMPTS, Takeover
from chatbubble.workers import Workers

TOKEN = "operator-token-of-the-tests"  # noqa: S105 -- guards nothing
PAGE = Path(__file__).parents[2] / "docs" / "operating.md"


def fetch(served: Served, accept: str = "text/plain") -> Reply:
    """The page, as Prometheus asks for it."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": accept}
    return Connection(served.port).request("GET", "/api/ai/metrics", headers=headers)


def scrape(served: Served) -> dict[str, float]:
    """Every sample of ours by its name and labels: `turns_total{outcome="done"}`."""
    told = {}
    for family in parse(fetch(served).read().decode()):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
            told[sample.name.removeprefix("chatbubble_") + (f"{{{labels}}}" if labels else "")] = sample.value
    return told


def test_without_an_operator_token_there_is_no_such_address(served: Served) -> None:
    assert fetch(served).status == 404


def test_only_the_operator_reads_it(serve: Serve) -> None:
    served = serve(operator_token=TOKEN)
    assert served.get("/api/ai/metrics").status == 401
    assert served.visitor("another-token-of-the-tests").get("/metrics").status == 401


def test_turns_are_told_by_how_they_ended(serve: Serve) -> None:
    served = serve(operator_token=TOKEN)
    visitor = served.visitor()
    usage = Usage(prompt_tokens=12, completion_tokens=3)
    served.provider.script("one ", "two ", "three", Finish(FinishReason.STOP, usage))
    visitor.ask().until_end()
    served.provider.script("so far ", UpstreamTimeout(detail="silent"))
    visitor.ask().until_end()
    call = served.provider.hold()
    reply = visitor.ask()
    stream_id = reply.next_event().data["streamId"]
    assert call.began.wait(5)
    served.await_stats(activeConnections=1, activeTurns=1)
    before = scrape(served)
    assert (before["turns_active"], before["connections"], before["readers"]) == (1, 1, 1)
    visitor.abort(stream_id)
    reply.until_end()
    served.await_stats(activeTurns=0, activeConnections=0)
    told = scrape(served)
    ended = {outcome: told[f'turns_total{{outcome="{outcome}"}}'] for outcome in ("done", "aborted", "failed")}
    assert ended == {"done": 1, "aborted": 1, "failed": 1}
    assert told['turn_errors_total{code="UPSTREAM_TIMEOUT"}'] == told["aborts_total"] == 1
    assert told['model_tokens_total{kind="prompt"}'] == 12
    assert told['model_tokens_total{kind="completion"}'] == 3
    assert (told["turn_seconds_count"], told["turns_active"], told["connections"]) == (3, 0, 0)
    # Three pieces and one; the turn that was stopped said nothing.
    assert (told["first_token_seconds_count"], told["between_tokens_seconds_count"]) == (2, 2)
    assert told['first_token_seconds_bucket{le="+Inf"}'] == 2
    assert told["drops_total"] == told["resumes_total"] == told["resets_total"] == 0


def test_a_reader_that_leaves_and_comes_back_is_one_drop_and_one_resume(serve: Serve) -> None:
    served = serve(operator_token=TOKEN)
    visitor = served.visitor()
    call = served.provider.hold()
    reply = visitor.ask()
    stream_id = reply.next_event().data["streamId"]
    reply.close()
    served.await_stats(activeConnections=0)
    assert (scrape(served)["drops_total"], scrape(served)["resumes_total"]) == (1, 0)
    again = visitor.resume(stream_id, "nonsense.7")
    call.finish("a")
    assert [event.type for event in again.until_end()] == ["reset", "connected", "token", "done"]
    served.await_stats(activeConnections=0)
    assert visitor.resume(stream_id, again.last_event_id).status == 204
    told = scrape(served)
    assert (told["drops_total"], told["resumes_total"], told["resets_total"]) == (1, 1, 1)


def test_a_channel_that_ends_is_no_drop(serve: Serve) -> None:
    served = serve(operator_token=TOKEN)
    listener = served.visitor().get("/stream")
    listener.next_event()
    assert scrape(served)["channels"] == 1
    listener.close()
    served.await_stats(activeConnections=0)
    assert scrape(served)["drops_total"] == 0


def test_refusals_are_told_by_their_code(serve: Serve) -> None:
    served = serve(operator_token=TOKEN)
    served.visitor().ask("")
    served.get("/api/ai/nothing-here")
    told = scrape(served)
    assert told['refusals_total{code="BAD_REQUEST"}'] == told['refusals_total{code="NOT_FOUND"}'] == 1


def test_two_chats_of_one_process_count_apart(serve: Serve) -> None:
    first, second = serve(operator_token=TOKEN), serve(operator_token=TOKEN)
    first.provider.script("a")
    first.visitor().ask().until_end()
    first.await_stats(activeTurns=0)
    assert scrape(first)['turns_total{outcome="done"}'] == 1
    assert scrape(second)['turns_total{outcome="done"}'] == 0


def test_an_answer_that_is_saved_late_waits_in_a_queue_and_is_counted(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, measures = turns.store.finish_turn, turns.parts.measures

    def refuse(turn: Turn, answer: Answer) -> bool:
        monkeypatch.setattr(turns.store, "finish_turn", finish)
        raise StoreUnavailable(detail="disk full")

    monkeypatch.setattr(turns.store, "finish_turn", refuse)
    assert turns.run("a").state is TurnState.DONE
    assert (measures.late_saves, measures.saved_late) == (1, 0)
    deadline = time.monotonic() + 5
    while measures.late_saves:
        assert time.monotonic() < deadline
        gevent.sleep(0.01)
    assert measures.saved_late == 1


def test_turns_of_dead_processes_are_told_by_what_became_of_them(turns: Turns) -> None:
    measures, workers = turns.parts.measures, Workers(turns.parts)
    takeover = Takeover(turns.store, turns.log, workers, NoLeases(), measures)
    turns.provider.script("a")
    for attempt in (MAX_ATTEMPTS, MAX_ATTEMPTS + 1):
        turns.begin()
        takeover.take_over(Claim(turns.stream_id, Question("hello", "anna", f"r{attempt}"), attempt))
        workers.drain(5)
    assert measures.taken_over == {"run_again": 1, "ended": 1}
    assert measures.outcomes == {TurnState.DONE: 1}


def test_mail_that_nobody_has_read_is_a_queue() -> None:
    clients = Clients(max_streams=2)
    channel = clients.open_channel(clients.register())
    assert clients.count_mail() == 1
    channel.next(0)
    assert clients.count_mail() == 0


def test_what_holds_the_event_loop_up_is_seen() -> None:
    lag = Histogram(HUB_LAG_S)
    watch = HubLag(lag, every_s=0.01)
    watch.start()
    gevent.sleep(0.005)
    busy_until = time.monotonic() + 0.1
    while time.monotonic() < busy_until:
        pass
    while not sum(lag.counts):
        gevent.sleep(0.001)
    watch.stop()
    assert lag.sum_s >= 0.08
    gevent.sleep(0)
    seen = sum(lag.counts)
    gevent.sleep(0.03)
    assert sum(lag.counts) == seen


def test_the_bench_of_what_a_token_costs_still_runs() -> None:
    bench = PAGE.parents[1] / "tests" / "bench" / "token_cost.py"
    told = subprocess.run([sys.executable, bench, "--tokens", "10"], capture_output=True, text=True, check=True)
    assert [line.endswith(("us a token", "counted")) for line in told.stdout.splitlines()] == [True] * 4


def test_a_bucket_holds_its_upper_end() -> None:
    lag = Histogram((1, 2))
    for seconds in (0.5, 1, 1.5, 2, 2.5):
        lag.observe(seconds)
    assert (lag.counts, lag.sum_s) == ([2, 2, 1], 7.5)


def test_a_scraper_that_asks_for_openmetrics_gets_it(serve: Serve) -> None:
    reply = fetch(serve(operator_token=TOKEN), "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert reply.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    page = reply.read().decode()
    kinds = {family.name: family.type for family in parse_openmetrics(page)}  # type: ignore[no-untyped-call]
    assert (kinds["chatbubble_turns"], kinds["chatbubble_turn_seconds"]) == ("counter", "histogram")


def exposed(turns: Turns) -> list[Metric]:
    """All metrics of ours, with every label in use."""
    turns.parts.measures.turn_errors["EMPTY_ANSWER"] += 1
    turns.parts.measures.refusals["NOT_FOUND"] += 1
    return list(Metrics(turns.parts, Clients(max_streams=1), Workers(turns.parts), "1.2.3").collect())


def test_the_page_for_operators_tells_every_metric_and_no_other(turns: Turns) -> None:
    table = re.findall(r"^\| `(chatbubble_\w+)` \| (\w+) \|(.*?)\| (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    told = [
        (name, kind, set(re.findall(r"`(\w+)`", labels)), meaning.split(" \u00b7 ")[0])
        for name, kind, labels, meaning in table
    ]
    real = [
        (
            metric.name + ("_total" if metric.type == "counter" else ""),
            metric.type,
            {label for sample in metric.samples for label in sample.labels} - {"le"},
            metric.documentation,
        )
        for metric in exposed(turns)
    ]
    assert sorted(told) == sorted(real)
