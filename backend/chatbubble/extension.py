"""The door: Chatbubble takes a Flask app's configuration and puts everything together."""

from __future__ import annotations

import logging
import os
from typing import Any

from flask import Blueprint, Flask, current_app
from flask.blueprints import BlueprintSetupState
from flask.sansio.app import App
from gevent import monkey

from .config import DEFAULT_PREFIX
from .errors import ConfigError
from .mount import EXTENSION_KEY
from .mounted import UNPATCHED, Mounted
from .provider import Provider
from .routes import add_routes
from .store import ConversationStore
from .stream_log import StreamLog
from .views import end_request

logger = logging.getLogger("chatbubble")


class Chatbubble:
    """Mounts the chat in Flask apps.

    Args:
        app: mount at once; or call `init_app` later, or register `blueprint` yourself.
        provider: who answers, instead of the one that CHATBUBBLE_PROVIDER names.
        store: where conversations are kept, instead of CHATBUBBLE_DATABASE_URL.
        stream_log: where running answers are kept, instead of CHATBUBBLE_REDIS_URL or this process's memory.

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
        return self._mounted.broadcast(event, data)

    def send(self, client_id: str, event: str, data: Any) -> None:
        """Send an event to one client. Raises ClientNotFound, ValueError or TypeError."""
        self._mounted.send(client_id, event, data)

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
        mounted.flood_gate.stand_before(app, f"{state.name_prefix}.{state.name}".lstrip("."))
        if not monkey.is_module_patched("socket"):
            logger.warning(UNPATCHED)


def _refuse_second(app: App) -> None:
    if EXTENSION_KEY in app.extensions:
        raise ConfigError(
            f"the Flask app {app.name!r:.80} has a Chatbubble already: mount it once, by Chatbubble(app), by init_app "
            "or by registering the blueprint"
        )
