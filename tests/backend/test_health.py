"""`GET /healthz` says in one word how each part is, and is ill only when questions would not be answered."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import gevent
import pytest
from redis_server import own_redis
from serving import Serve, Served

from chatbubble.errors import ContentFiltered, UpstreamBusy, UpstreamTimeout
from chatbubble.health import FAILING_AFTER

WELL = {"server": "ok", "store": "ok", "provider": "ok", "streams": "ok"}


def health(served: Served) -> tuple[int, dict[str, Any]]:
    """The status, and the states that are not `ok`."""
    reply = served.get("/api/ai/healthz")
    body = reply.json()
    assert body["status"] == ("ok" if reply.status == 200 else "unavailable")
    assert body["parts"].keys() >= WELL.keys()
    return reply.status, {part: state for part, state in body["parts"].items() if state != "ok"}


def test_all_is_well_at_first(served: Served) -> None:
    assert served.get("/api/ai/healthz").json() == {"status": "ok", "parts": WELL}


def test_a_full_server_says_so(serve: Serve) -> None:
    served = serve(max_streams=1)
    listener = served.visitor().get("/stream")
    listener.next_event()
    assert health(served) == (200, {"streams": "full"})
    listener.close()
    served.await_stats(activeConnections=0)
    assert health(served) == (200, {})


def test_a_provider_fails_after_so_many_faults_in_a_row_until_it_answers(served: Served) -> None:
    visitor = served.visitor()
    for fault in [UpstreamTimeout, UpstreamBusy, ValueError][:FAILING_AFTER]:
        assert health(served) == (200, {})
        served.provider.script(fault())
        visitor.ask().until_end()
        served.await_stats(activeTurns=0)
    assert health(served) == (200, {"provider": "failing"})
    served.provider.script("a")
    visitor.ask().until_end()
    served.await_stats(activeTurns=0)
    assert health(served) == (200, {})


def test_a_question_that_is_filtered_is_no_fault_of_the_provider(served: Served) -> None:
    for _ in range(FAILING_AFTER):
        served.provider.script(ContentFiltered())
        served.visitor().ask().until_end()
    served.await_stats(activeTurns=0)
    assert health(served) == (200, {})


def test_answers_that_wait_to_be_saved_are_told(served: Served) -> None:
    served.mounted.measures.late_saves = 1
    assert health(served) == (200, {"store": "behind"})


def test_a_store_that_is_away_is_told(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.mounted.store, "is_ready", lambda: False)
    assert health(served) == (503, {"store": "unavailable"})


def test_a_redis_that_is_away_is_told_and_what_it_missed_is_a_queue(serve: Serve, tmp_path: Path) -> None:
    with own_redis(tmp_path) as redis:
        served = serve(redis_url=redis.url)
        assert served.get("/api/ai/healthz").json()["parts"]["redis"] == "ok"
        redis.stop()
        served.provider.script("a")
        served.visitor().ask().until_end()
        deadline = time.monotonic() + 5
        while health(served) != (200, {"redis": "unavailable"}):
            assert time.monotonic() < deadline
            gevent.sleep(0.01)
        assert waiting_for_redis(served) == 1
        redis.start()
        while waiting_for_redis(served):
            assert time.monotonic() < deadline + 5
            gevent.sleep(0.01)
        assert health(served) == (200, {})


def waiting_for_redis(served: Served) -> float:
    """Streams of which Redis has not got all, as the metrics tell it."""
    families = {family.name: family for family in served.mounted.metrics.registry.collect()}
    samples = families["chatbubble_queue_length"].samples
    return next(sample.value for sample in samples if sample.labels == {"queue": "redis"})
