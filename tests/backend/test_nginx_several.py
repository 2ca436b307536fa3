"""What the compose file starts, from the same parts without containers: two processes on one PostgreSQL and one Redis,
behind the documented nginx."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from socket import gethostname

from deployment import Deployment, deployment  # noqa: F401 -- a fixture
from fronts import Front
from hosting import OPERATOR_TOKEN
from nginx_server import documented_nginx
from process import ServerProcess
from prometheus_client.parser import text_string_to_metric_families as parse
from prometheus_client.samples import Sample
from stream_client import Connection, Received, Reply, joined_text

SESSION = "session-of-a-visitor-of-two-processes"


def ask(nginx: Front, message: str) -> Reply:
    """`POST /chat` through it."""
    return nginx.connect().request("POST", "/api/ai/chat", body={"message": message, "sessionId": SESSION})


def resume(nginx: Front, stream_id: str, last_event_id: str) -> Reply:
    """Read on, at whichever process nginx takes."""
    headers = {"Authorization": f"Bearer {SESSION}", "Last-Event-ID": last_event_id}
    return nginx.connect().request("GET", f"/api/ai/chat/{stream_id}", headers=headers)


def scrape(process: ServerProcess, query: str = "") -> dict[str, list[Sample]]:
    """The metrics that a process tells: the samples of each."""
    headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
    page = Connection(process.port).request("GET", f"/api/ai/metrics{query}", headers=headers).read().decode()
    return {family.name.removeprefix("chatbubble_"): family.samples for family in parse(page)}


def count(process: ServerProcess, name: str, **labels: str) -> float:
    """A number of this process alone."""
    return next(sample.value for sample in scrape(process)[name] if sample.labels == labels)


def count_done_everywhere(process: ServerProcess) -> dict[str, float]:
    """The turns that each process has done, as this one tells them."""
    samples = scrape(process, "?processes=all")["turns"]
    return {sample.labels["process"]: sample.value for sample in samples if sample.labels["outcome"] == "done"}


def test_an_answer_is_read_on_piece_by_piece_at_either_process(
    deployment: Deployment,  # noqa: F811
    tmp_path: Path,
) -> None:
    both = deployment.processes
    before = [count(process, "resumes") for process in both]
    with documented_nginx(tmp_path, *(process.port for process in both)) as (nginx, _):
        reply = ask(nginx, "answer: 40 tokens at 20 ms")
        stream_id = reply.next_event().data["streamId"]
        events: list[Received] = [*reply.until("token")]
        reply.close()
        while events[-1].type != "done":
            reply = resume(nginx, stream_id, events[-1].id)
            events.append(reply.next_event())
            reply.close()
    assert "reset" not in [event.type for event in events]
    assert joined_text(events) == events[-1].data["fullText"]
    assert all(count(process, "resumes") - past >= 5 for process, past in zip(both, before, strict=True))


def test_while_one_process_stops_questions_are_answered_by_the_other(
    deployment: Deployment,  # noqa: F811
    tmp_path: Path,
) -> None:
    (leaving,) = deployment.start()
    staying = deployment.processes[0]
    with documented_nginx(tmp_path, leaving.port, staying.port) as (nginx, _):
        leaving.signal(signal.SIGTERM)
        assert leaving.wait() == 0
        for _ in range(3):
            assert ask(nginx, "say: still here").until_end()[-1].data["fullText"] == "still here"


def test_any_process_tells_the_metrics_of_all(deployment: Deployment) -> None:  # noqa: F811
    first, second = deployment.processes[:2]
    first.visitor().ask("say: hello").until_end()
    for _ in range(2):
        second.visitor().ask("say: hello").until_end()
    done = {f"{gethostname()}:{each.process.pid}": count(each, "turns", outcome="done") for each in (first, second)}
    deadline = time.monotonic() + 10
    while not done.items() <= (told := count_done_everywhere(first)).items():
        assert time.monotonic() < deadline, (done, told)
        time.sleep(0.1)
    assert len(deployment.stats(first)["processes"]) == len(told)
    assert not any("metrics" in process for process in deployment.stats(first)["processes"])
