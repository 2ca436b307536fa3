"""The door: Chatbubble takes a Flask app's configuration and puts everything together."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Flask, current_app
from flask.blueprints import BlueprintSetupState
from flask.sansio.app import App
from gevent import monkey
from gevent.lock import BoundedSemaphore

from . import __version__
from .assets import Assets
from .chat import Chat
from .checkpoints import Checkpoints
from .clients import Clients
from .config import DEFAULT_PREFIX, Settings
from .errors import ConfigError, SeveralProcesses, StoreUnavailable, Unpatched
from .generation import TurnParts
from .hub_lag import HubLag
from .limits import create_feedback_limiter, create_limiter
from .metrics import Metrics
from .mount import EXTENSION_KEY
from .origins import OriginRules, RefusedOrigins
from .provider import Provider
from .routes import add_routes
from .store import ConversationStore
from .stores.sql import SqlStore
from .stream_log import StreamLog
from .stream_logs.memory import MemoryStreamLog
from .views import end_request
from .workers import Workers

logger = logging.getLogger("chatbubble")

_LAST_EVENTS_S = 5.0  # what a server takes to stop, after its answers

UNPATCHED = (
    "gevent has not patched the standard library, so one answer would hold up all others, and the chat refuses "
    "every question: put `from gevent import monkey; monkey.patch_all()` first in your program, "
    "or run it with `chatbubble serve --app` or gunicorn's gevent worker"
)
MULTIPROCESS = (
    "the server runs this app in several processes, a running answer is known to one of them only, and so the chat "
    "refuses every question: run one process, such as `gunicorn -k gevent -w 1`"
)


class Chatbubble:
    """Mounts the chat in Flask apps.

    Args:
        app: mount at once; or call `init_app` later, or register `blueprint` yourself.
        provider: who answers, instead of the one that CHATBUBBLE_PROVIDER names.
        store: where conversations are kept, instead of CHATBUBBLE_DATABASE_URL.
        stream_log: where running answers are kept, instead of this process's memory.

    Raises:
        ConfigError: a setting is unknown or malformed, or the widget is not built.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        provider: Provider | None = None,
        store: ConversationStore | None = None,
        stream_log: StreamLog | None = None,
    ) -> None:
        self._provider, self._store, self._stream_log = provider, store, stream_log
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask, *, url_prefix: str | None = None) -> None:
        """Mount under `url_prefix`, or CHATBUBBLE_URL_PREFIX. Raises ConfigError, also when this
        app has a Chatbubble already."""
        _refuse_second(app)
        app.register_blueprint(self.blueprint, url_prefix=url_prefix)

    @property
    def blueprint(self) -> Blueprint:
        """A new blueprint, for `app.register_blueprint(chatbubble.blueprint, url_prefix=...)`.

        Without a prefix it goes under CHATBUBBLE_URL_PREFIX; inside another blueprint, under
        `/api/ai` of that one.
        """
        blueprint = Blueprint("chatbubble", __name__, url_prefix=DEFAULT_PREFIX)
        blueprint.record(self._set_up)
        blueprint.teardown_request(end_request)
        return blueprint

    def broadcast(self, event: str, data: Any) -> int:
        """Send an event to every client on `GET /stream` of the current app; returns to how many.

        Raises ValueError or TypeError for a type of ours or data that is not JSON.
        """
        return self._mounted.clients.broadcast(event, data)

    def send(self, client_id: str, event: str, data: Any) -> None:
        """Send an event to one client. Raises ClientNotFound, ValueError or TypeError."""
        self._mounted.clients.send(client_id, event, data)

    def get_stats(self) -> dict[str, Any]:
        """The numbers of `GET /stats` for the current app."""
        return self._mounted.get_stats()

    def drain(self) -> None:
        """Stop taking questions, let running answers finish within CHATBUBBLE_DRAIN_S, end
        the rest as interrupted with their text saved. For your server's shutdown hook."""
        self._mounted.drain()

    @property
    def _mounted(self) -> Mounted:
        mounted: Mounted | None = current_app.extensions.get(EXTENSION_KEY)
        if mounted is None:
            raise RuntimeError("this app has no Chatbubble: call chatbubble.init_app(app) first")
        return mounted

    def _set_up(self, state: BlueprintSetupState) -> None:
        app = state.app
        _refuse_second(app)
        mounted = Mounted(app.config, os.environ, self._provider, self._store, self._stream_log)
        app.extensions[EXTENSION_KEY] = mounted
        if state.options.get("url_prefix") is None:
            state.url_prefix = mounted.settings.url_prefix
        add_routes(state, mounted.origins)
        if not monkey.is_module_patched("socket"):
            logger.warning(UNPATCHED)


def _refuse_second(app: App) -> None:
    if EXTENSION_KEY in app.extensions:
        raise ConfigError(
            f"the Flask app {app.name!r:.80} has a Chatbubble already: mount it once, by Chatbubble(app), by init_app "
            "or by registering the blueprint"
        )


class Mounted:
    """Everything that belongs to one app; see the views' `Mount`."""

    def __init__(
        self,
        config: Mapping[str, Any],
        environ: Mapping[str, str],
        provider: Provider | None,
        store: ConversationStore | None,
        stream_log: StreamLog | None,
    ) -> None:
        settings = Settings.read(config, environ)
        self.settings = settings
        self.origins = OriginRules.parse(settings.allowed_origins)
        self.refused_origins = RefusedOrigins()
        if self.origins.allows_all:
            logger.warning("CHATBUBBLE_ALLOWED_ORIGINS is *: every website may use this chat at your expense")
        self.assets = Assets.load()
        self.clients = Clients(settings.max_streams)
        self.provider = provider or create_provider(settings, environ)
        self.store = store or SqlStore(
            settings.database_url,
            connections=settings.database_connections,
            hand_over_s=settings.drain_s + _LAST_EVENTS_S,
        )
        self.log = stream_log or MemoryStreamLog(ttl_s=settings.stream_ttl_s, max_bytes=settings.log_bytes)
        parts = TurnParts(settings, self.provider, self.store, self.log, Checkpoints(self.store))
        self.measures = parts.measures
        self.workers = Workers(parts)
        self.metrics = Metrics(parts, self.clients, self.workers, __version__)
        self._hub_lag = HubLag(self.measures.hub_lag)
        limiters = create_limiter(settings.rate_limit), create_feedback_limiter(settings.rate_limit)
        self.chat = Chat(self.store, self.log, self.workers, *limiters)
        self._start_lock = BoundedSemaphore(1)
        self._is_started = self._has_complained = False
        self._lives_in_one_process = stream_log is None

    def start(self, *, is_one_of_several: bool = False) -> None:
        """Open the store and end turns that an earlier process left running; once.

        On first use and not when the app is made, so that a server may fork in between.
        """
        if is_one_of_several and self._lives_in_one_process:
            self._complain_once()
            raise SeveralProcesses()
        if not self._is_started:
            with self._start_lock:
                self._start_once()

    def _complain_once(self) -> None:
        if not self._has_complained:
            self._has_complained = True
            logger.error(MULTIPROCESS)

    def _start_once(self) -> None:
        if self._is_started:
            return
        if not monkey.is_module_patched("socket"):
            raise Unpatched()
        self.store.open()
        interrupted = self.store.interrupt_running()
        if interrupted:
            logger.warning("%d answers were cut by the last stop; they are marked as interrupted", interrupted)
        if self.settings.operator_token:
            self._hub_lag.start()
        self._is_started = True

    def drain(self) -> None:
        """See Chatbubble.drain."""
        self.workers.drain(self.settings.drain_s)
        self.clients.close_channels()

    def close(self) -> None:
        """Release the store, after `drain`."""
        self._hub_lag.stop()
        if self._is_started:
            self.store.close()

    def get_stats(self) -> dict[str, Any]:
        """The numbers of `GET /stats`."""
        log = {f"log{name.capitalize()}": count for name, count in self.log.get_stats().items()}
        return {
            **self.clients.get_stats(),
            **self.workers.get_stats(),
            **log,
            "provider": self.provider.name,
            "model": self.provider.model,
            "version": __version__,
        }

    def get_health(self, *, is_one_of_several: bool = False) -> tuple[bool, dict[str, str]]:
        """Whether questions would be answered, and the state of each part."""
        server = "ok"
        if is_one_of_several and self._lives_in_one_process:
            self._complain_once()
            server = "multiprocess"
        elif not monkey.is_module_patched("socket"):
            server = "unpatched"
        is_stored = server == "ok" and self._is_store_ready()
        parts = {
            "server": "draining" if self.workers.is_draining else server,
            "store": "ok" if is_stored else "unavailable",
            "provider": self.provider.name,
        }
        return is_stored and not self.workers.is_draining, parts

    def _is_store_ready(self) -> bool:
        try:
            self.start()
        except StoreUnavailable as failure:
            logger.warning("the store cannot be opened: %s", failure.detail)
            return False
        return self.store.is_ready()


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
