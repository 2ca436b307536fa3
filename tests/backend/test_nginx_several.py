"""What the compose file starts, from the same parts without containers: two processes on one PostgreSQL and one Redis,
behind the documented nginx."""

from __future__ import annotations

import signal
from pathlib import Path

from deployment import Deployment, deployment  # noqa: F401 -- a fixture
from hosting import OPERATOR_TOKEN
from nginx_server import Nginx, documented_nginx
from process import ServerProcess
from prometheus_client.parser import text_string_to_metric_families as parse
from stream_client import Connection, Received, Reply, joined_text

SESSION = "session-of-a-visitor-of-two-processes"


def ask(nginx: Nginx, message: str) -> Reply:
    """`POST /chat` through it."""
    return nginx.connect().request("POST", "/api/ai/chat", body={"message": message, "sessionId": SESSION})


def resume(nginx: Nginx, stream_id: str, last_event_id: str) -> Reply:
    """Read on, at whichever process nginx takes."""
    headers = {"Authorization": f"Bearer {SESSION}", "Last-Event-ID": last_event_id}
    return nginx.connect().request("GET", f"/api/ai/chat/{stream_id}", headers=headers)


def count_resumes(process: ServerProcess) -> float:
    """How many streams were read on at this process."""
    headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
    page = Connection(process.port).request("GET", "/api/ai/metrics", headers=headers).read().decode()
    families = {family.name: family for family in parse(page)}
    return families["chatbubble_resumes"].samples[0].value


def test_an_answer_is_read_on_piece_by_piece_at_either_process(
    deployment: Deployment,  # noqa: F811
    tmp_path: Path,
) -> None:
    both = deployment.processes
    before = [count_resumes(process) for process in both]
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
    assert all(count_resumes(process) - past >= 5 for process, past in zip(both, before, strict=True))


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
