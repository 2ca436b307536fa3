"""How campaigns have questions asked and answers read: one answer by several clients, many answers side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import gevent
from gevent.pool import Pool
from ground import World
from history import Story
from telling import question
from wire_client import Asked, Manners, WireClient

Way = Callable[[], int]


def tell(
    world: World,
    story: Story,
    pause_ms: float,
    *,
    followers: int = 0,
    way: Way | None = None,
    manners: Manners | None = None,
) -> Asked:
    """Ask for an answer and read it to its end: the one who asks by `way`, and so many followers, who come along at
    any process once it has begun, from its beginning."""
    asked = Asked(question(story, pause_ms))
    asker = WireClient(way or world.way, asked, story.new_reading("asker"), manners)
    reading = [gevent.spawn(asker.run)]
    asker.is_named.wait()
    story.stream_id = asker.stream_id
    for number in range(followers):
        client = WireClient(
            world.way, asked, story.new_reading(f"follower {number}"), manners, stream_id=asker.stream_id
        )
        reading.append(gevent.spawn(client.run))
    gevent.joinall(reading, raise_error=True)
    return asked


def side_by_side(at_once: int, work: Callable[[Any], object], items: Iterable[Any]) -> None:
    """Do this with each of them, so many at a time; raises what one of them raises."""
    pool = Pool(at_once)
    doing = [pool.spawn(work, item) for item in items]
    gevent.joinall(doing, raise_error=True)
