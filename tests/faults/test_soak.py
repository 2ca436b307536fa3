"""What a soak measures, and how it judges; `make soak` runs it."""

from __future__ import annotations

import gevent
from campaigns.soak import Holding
from gevent.event import Event
from ground import Ground, World
from telling import question
from wire_client import Asked, WireClient

BEFORE = Holding(memory_mb=100.0, files=30, greenlets=4, keys=5)


def test_what_is_back_is_back_and_what_is_left_is_found() -> None:
    assert Holding(109.0, 30, 4, 5).is_back_to(BEFORE)
    assert Holding(100.0, 28, 3, 2).is_back_to(BEFORE)
    for left in (Holding(100.0, 31, 4, 5), Holding(100.0, 30, 5, 5), Holding(100.0, 30, 4, 6)):
        assert not left.is_back_to(BEFORE)


def test_a_server_says_what_it_holds(ground: Ground) -> None:
    world = World(ground, seed=1)
    try:
        (server,) = world.start(1)
        idle, files = server.look_inside(), server.open_files
        story = world.teller.new_story(50)
        client = WireClient(world.way, Asked(question(story, 100)), story.new_reading("asker"))
        is_over, is_held = Event(), Event()
        holding = gevent.spawn(client.hold, 3, is_over, is_held.set)
        assert is_held.wait(20)
        # Its connection, the turn and the call of the model.
        assert server.look_inside()["greenlets"] >= idle["greenlets"] + 3
        assert server.open_files >= files + 2
        assert server.memory_mb > 20
        assert server.processor_s > 0
        is_over.set()
        holding.get()
    finally:
        world.close()
