"""Two versions side by side, as in the middle of an update: each goes on with what the other one has begun."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from deployment import Deployment, new_deployment, same_visitor
from postgres_server import PostgresServer
from process import ServerProcess
from stream_client import Received, joined_text
from test_takeover import read_on

ROOT = Path(__file__).resolve().parents[2]
# Nothing has been released yet. This is the first state whose processes hand their answers over when they stop.
FIRST = "1664b055f6b7ff4813e2ba0d265f42c2c1fbbbda"
PATIENCE_S = 30.0


def git(*words: str) -> bytes:
    """What git says about these sources; ends the test where it says nothing."""
    told = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    if told.returncode:
        pytest.skip(f"these sources come without their history: git {words[0]} {words[-1]} finds nothing")
    return told.stdout


def previous_version() -> str:
    """The last release before this state, or FIRST."""
    tags = git("tag", "--list", "--sort=-version:refname", "--no-contains", "HEAD", "--merged", "HEAD").decode().split()
    return tags[0] if tags else FIRST


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The backend of the previous version, with the widget of this one."""
    folder = tmp_path_factory.mktemp("earlier")
    with tarfile.open(fileobj=BytesIO(git("archive", previous_version(), "backend"))) as sources:
        sources.extractall(folder, filter="data")
    shutil.copytree(ROOT / "backend" / "chatbubble" / "static", folder / "backend" / "chatbubble" / "static")
    command = [sys.executable, "-c", "import chatbubble; print(chatbubble.__file__)"]
    found = subprocess.run(command, env={"PYTHONPATH": str(folder / "backend")}, capture_output=True, check=True)
    assert found.stdout.decode().startswith(str(folder))
    return folder / "backend"


@pytest.fixture(params=["the new one joins", "the old one joins"])
def versions(
    request: pytest.FixtureRequest, earlier: Path, built: Path, postgres: PostgresServer
) -> Iterator[tuple[Deployment, ServerProcess, ServerProcess]]:
    """A deployment with a process of each version, the old one first; the one that joins came second."""
    with new_deployment(postgres) as deployment:
        started: dict[str, ServerProcess] = {}
        order = ["old", "new"] if request.param == "the new one joins" else ["new", "old"]
        for version in order:
            with pytest.MonkeyPatch.context() as patch:
                if version == "old":
                    patch.setenv("PYTHONPATH", str(earlier))
                    # Its lines are not ours to cover, and will be gone when the coverage is added up.
                    patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
                (started[version],) = deployment.start(1, drain_s="0.5")
        for server in started.values():
            deployment.await_processes(server, 2)
        yield deployment, started["old"], started["new"]


def read_on_elsewhere(here: ServerProcess, there: ServerProcess) -> list[Received]:
    """An answer of one process, read to its end at the other one, from its second token on."""
    visitor = here.visitor()
    reply = visitor.ask("answer: 30 tokens at 20 ms", "request-1", timeout_s=PATIENCE_S)
    stream_id = reply.next_event().data["streamId"]
    events = [reply.seen[0], *reply.until("token"), *reply.until("token")]
    reply.close()
    elsewhere = same_visitor(visitor, there)
    # The same question is known there, and is not asked again.
    assert elsewhere.ask("answer: 30 tokens at 20 ms", "request-1").next_event().data["streamId"] == stream_id
    events += elsewhere.resume(stream_id, events[-1].id).until_end()
    assert elsewhere.conversation()["messages"][-1]["content"] == events[-1].data["fullText"]
    return events


def stop_elsewhere(here: ServerProcess, there: ServerProcess) -> str:
    """How an answer of one process ends that is stopped at the other one."""
    visitor = here.visitor()
    reply = visitor.ask("answer: 500 tokens at 20 ms", timeout_s=PATIENCE_S)
    stream_id = reply.next_event().data["streamId"]
    reply.until("token")
    assert same_visitor(visitor, there).abort(stream_id).json()["state"] == "aborted"
    return str(reply.until_end()[-1].data["finishReason"])


def hand_over(leaving: ServerProcess, staying: ServerProcess) -> list[Received]:
    """An answer that takes longer than the process that runs it has, read to its end."""
    visitor = leaving.visitor()
    reply = visitor.ask("answer: 24 tokens at 100 ms", timeout_s=PATIENCE_S)
    stream_id = reply.next_event().data["streamId"]
    reply.until("token")
    leaving.signal(signal.SIGTERM)
    assert {event.type for event in reply.until_end()} <= {"token"}
    assert leaving.wait() == 0
    return [*reply.seen, *read_on(same_visitor(visitor, staying), stream_id, reply.last_event_id)]


def test_each_version_goes_on_with_the_answers_of_the_other(
    versions: tuple[Deployment, ServerProcess, ServerProcess], request: pytest.FixtureRequest
) -> None:
    deployment, old, new = versions
    for here, there in ((old, new), (new, old)):
        events = read_on_elsewhere(here, there)
        assert "reset" not in [event.type for event in events]
        assert joined_text(events) == events[-1].data["fullText"]
        assert stop_elsewhere(here, there) == "aborted"
    assert len(deployment.model.requests) == 4
    # The one that was there before leaves, as in an update or when one is taken back.
    leaving, staying = (old, new) if "the new one joins" in request.node.name else (new, old)
    events = hand_over(leaving, staying)
    assert [event.type for event in events if event.type in ("reset", "done", "error")] == ["reset", "done"]
    assert joined_text(events) == events[-1].data["fullText"] == "".join(f"word{n} " for n in range(1, 25))
