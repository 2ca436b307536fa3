"""One turn without HTTP: real log, real store, scripted provider."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent
import pytest
from scripted import Said, ScriptedProvider
from stream_client import Received, joined_text

from chatbubble.checkpoints import Checkpoints
from chatbubble.config import Settings
from chatbubble.generation import TurnParts
from chatbubble.measures import Measures
from chatbubble.provider import Provider
from chatbubble.records import Message, Prompt, Question, TurnState
from chatbubble.saving import Saver
from chatbubble.spending import create_spending
from chatbubble.store import ConversationStore
from chatbubble.stores.sql import SqlStore
from chatbubble.stream_logs.memory import MemoryStreamLog
from chatbubble.turn import RunningTurn, StopReason


@dataclass
class Told:
    """How a turn went: final state, what readers saw, what the store has."""

    state: TurnState
    events: list[Received]
    stored: Message | None

    @property
    def last(self) -> Received:
        """The terminal event."""
        return self.events[-1]


class Turns:
    """Runs turns of one visitor, one after the other."""

    def __init__(self, folder: Path, provider: Provider | None = None, **settings: Any) -> None:
        self.provider: Any = provider or ScriptedProvider()
        self.database = folder / "chat.db"
        self.store: ConversationStore = SqlStore(f"sqlite:///{self.database}")
        self.store.open()
        self.log = MemoryStreamLog()
        measures = Measures()
        saver, checkpoints = Saver(self.store, measures), Checkpoints(self.store)
        chosen = Settings(**settings)
        spending = create_spending(chosen, self.provider, self.store)
        counting = checkpoints, saver, measures, spending
        self.parts = TurnParts(chosen, self.provider, self.store, self.log, *counting)
        self.stream_id = ""
        self._count = 0

    def begin(self, is_held: Callable[[], bool] = lambda: True) -> RunningTurn:
        """A turn that is saved and whose stream is open, not yet running."""
        self._count += 1
        self.stream_id = f"s{self._count}"
        question = Question("hello", "anna", f"r{self._count}")
        self.log.open(self.stream_id, "anna")
        turn = self.store.begin_turn(question, self.stream_id).turn
        return RunningTurn(turn, question, self.parts, is_held=is_held)

    def start(self, running: RunningTurn) -> gevent.Greenlet[..., TurnState]:
        """Run it in a greenlet of its own, as the workers do."""
        return gevent.spawn(running.run)

    def told(self, state: TurnState) -> Told:
        """What has become of the newest turn."""
        stored = self.store.find_turn(self.stream_id)
        return Told(state, self.events(), stored.answer if stored else None)

    def events(self) -> list[Received]:
        """What a reader of the newest turn gets without waiting."""
        reader = self.log.reader(self.stream_id)
        wire = b"".join(batch.wire for batch in iter(lambda: reader.next(0), None))
        reader.close()
        blocks = [dict(line.split(": ", 1) for line in block.split("\n")) for block in wire.decode().split("\n\n")[:-1]]
        return [Received(block["event"], json.loads(block["data"]), block["id"]) for block in blocks]

    def run(self, *pieces: Said) -> Told:
        """A whole turn whose provider says these pieces."""
        if pieces:
            self.provider.script(*pieces)
        return self.told(self.begin().run())

    def stop_after(self, *pieces: Said, reason: StopReason = StopReason.ABORTED) -> Told:
        """A turn that is stopped once these pieces have arrived."""
        call = self.provider.hold()
        running = self.begin()
        turning = self.start(running)
        assert call.began.wait(5)
        call.say(*pieces)
        while not call.pieces.empty():
            gevent.sleep(0)
        gevent.sleep(0.002)
        running.stop(reason)
        return self.told(turning.get(timeout=10))


def provider_of(stream: Callable[[Prompt], Any]) -> Any:
    """A provider with this `stream`."""
    return type("Tried", (), {"name": "tried", "model": "tried-1", "stream": staticmethod(stream)})()


def check(told: Told) -> Told:
    """One terminal event, the last; text that fits together and is what the store has."""
    terminal = [event for event in told.events if event.type in ("done", "error")]
    assert terminal == [told.last]
    assert told.stored is not None
    assert joined_text(told.events) == told.stored.content
    if told.last.type == "done":
        assert told.last.data["fullText"] == told.stored.content
        assert told.last.data["messageId"] == told.stored.message_id
        assert told.last.data["finishReason"] == told.stored.finish_reason
    else:
        assert told.last.data["code"] == told.stored.error_code
    return told


MakeTurns = Callable[..., Turns]


@pytest.fixture
def make_turns(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[MakeTurns]:
    """Makes made. A turn that let gevent print a traceback fails its test."""
    made: list[Turns] = []

    def make(provider: Any = None, **settings: Any) -> Turns:
        made.append(Turns(tmp_path, provider, **settings))
        return made[-1]

    yield make
    for turns in made:
        turns.store.close()
    assert capfd.readouterr().err == ""


@pytest.fixture
def turns(make_turns: MakeTurns) -> Turns:
    """Turns with default settings and a scripted provider."""
    return make_turns()
