"""The database as its owner's commands use it, whether servers are at work in it or not: read everything, erase, purge.

Nobody has to own it for that: whoever reads or erases takes no running answer for the remains of a crash.
"""

from __future__ import annotations

from collections.abc import Iterator

import gevent

from ..errors import StoreUnavailable
from ..records import KeptConversation
from . import retention
from .schema import REVISION
from .sql import SqlStore

_FORGET_TRIES, _FORGET_PAUSE_S = 50, 0.1


class Archive:
    """All conversations of a store that need not be open; the caller closes it."""

    def __init__(self, store: SqlStore, now_ms: int) -> None:
        self._store, self._now_ms = store, now_ms

    def check(self) -> None:
        """Raises StoreUnavailable when the tables are missing, or older than this version."""
        revision = self._store.revision()
        if revision is None:
            raise StoreUnavailable(detail="it holds no conversations: is it the one that the server uses?")
        if revision < REVISION:
            raise StoreUnavailable(detail=f"its tables have revision {revision}: run `chatbubble db upgrade` first")

    def read(self, since: int = 0) -> Iterator[KeptConversation]:
        """Every conversation, with what was said in it since then, in milliseconds. Raises StoreUnavailable."""
        after: str | None = ""
        while after is not None:
            place = after
            page, after = self._store.transact(lambda connection: retention.read_page(connection, place, since))  # noqa: B023
            yield from page

    def read_one(self, visitor_id: str, since: int = 0) -> Iterator[KeptConversation]:
        """The same, of one visitor."""
        yield from self._store.transact(lambda connection: retention.read_one(connection, visitor_id, since))

    def erase(self, visitor_id: str) -> tuple[str, ...]:
        """Delete everything that a visitor has; servers that run forget it within seconds. Returns the ids of the
        streams that were theirs; none where there was nothing. Raises StoreUnavailable."""
        # A second attempt may find that the first one has erased everything: its streams count.
        streams: dict[str, None] = {}
        self._store.transact(
            lambda connection: streams.update(
                dict.fromkeys(retention.erase_and_tell(connection, visitor_id, self._now_ms))
            )
        )
        return tuple(streams)

    def forget_erased(self) -> bool:
        """See to it that no file holds what was deleted, waiting for whoever reads it; False after some seconds."""
        for _ in range(_FORGET_TRIES):
            if self._store.forget_erased():
                return True
            gevent.sleep(_FORGET_PAUSE_S)
        return False
