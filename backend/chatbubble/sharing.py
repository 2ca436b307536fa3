"""What several processes need to serve one chat together."""

from __future__ import annotations

from .config import Settings


def lacking_to_share(settings: Settings, *, has_own_log: bool = False, has_own_store: bool = False) -> str:
    """What would have to be set, in words; empty where nothing is lacking.

    Args:
        has_own_log: the app brought a stream log instead of CHATBUBBLE_REDIS_URL.
        has_own_store: it brought a store instead of CHATBUBBLE_DATABASE_URL.
    """
    lacking = []
    if not (has_own_log or settings.redis_url):
        lacking.append("a Redis in CHATBUBBLE_REDIS_URL")
    if not has_own_store and settings.database_url.startswith("sqlite"):
        # The one process that has the file would answer, and all others would wait for it in vain.
        lacking.append("a PostgreSQL database in CHATBUBBLE_DATABASE_URL")
    if not lacking:
        return ""
    return f"{' and '.join(lacking)}: running answers in memory and an SQLite file belong to one process"
