"""What the settings choose: where conversations and running answers are kept, and who answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .config import Settings
from .errors import ConfigError
from .provider import Provider
from .store import ConversationStore
from .stores.sql import SqlStore
from .stream_log import StreamLog
from .stream_logs.memory import MemoryStreamLog

if TYPE_CHECKING:
    from .fleets.redis_parts import RedisParts


def create_store(settings: Settings, *, is_shared: bool, hand_over_s: float) -> ConversationStore:
    """The store of CHATBUBBLE_DATABASE_URL. Raises ConfigError when it cannot be used."""
    return SqlStore(
        settings.database_url,
        connections=settings.database_connections,
        is_shared=is_shared,
        hand_over_s=hand_over_s,
    )


def create_memory_log(settings: Settings) -> StreamLog:
    """The stream log of a process that is the only one."""
    return MemoryStreamLog(ttl_s=settings.stream_ttl_s, max_bytes=settings.log_bytes)


def create_redis(settings: Settings) -> RedisParts:
    """What CHATBUBBLE_REDIS_URL asks for. Raises ConfigError when it cannot be used."""
    # Imported where it is asked for: most chats are one process, and start sooner without it.
    from .fleets.redis_parts import create_redis_parts

    return create_redis_parts(settings)


def create_provider(settings: Settings, environ: Mapping[str, str]) -> Provider:
    """The provider that CHATBUBBLE_PROVIDER names. Raises ConfigError when its key is missing."""
    key = environ.get("OPENAI_API_KEY", "")
    if settings.provider == "demo" or (settings.provider == "auto" and not key):
        from .providers.demo import DemoProvider

        return DemoProvider()
    if not key:
        raise ConfigError("CHATBUBBLE_PROVIDER is openai, so OPENAI_API_KEY must be set")
    from .providers.openai import OpenAIProvider

    return OpenAIProvider(
        api_key=key,
        base_url=environ.get("OPENAI_BASE_URL") or None,
        model=settings.model,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        connect_timeout_s=settings.connect_timeout_s,
        read_timeout_s=max(settings.first_token_timeout_s, settings.token_timeout_s) + 5,
    )
