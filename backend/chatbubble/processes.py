"""Several processes behind one address, looked after by gunicorn: `chatbubble serve --workers`."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from .config import Settings
from .gunicorn_worker import ChatWorker
from .logs import set_up

if TYPE_CHECKING:
    from flask import Flask

logger = logging.getLogger("chatbubble.server")

# After CHATBUBBLE_DRAIN_S: readers are sent on, answers saved, Redis told. A worker that takes longer is killed.
LEAVE_S = 25


def serve_several(settings: Settings, app_path: str | None, *, host: str, port: int, workers: int) -> int:
    """Serve the app at MODULE:APP, or ours, by so many processes until SIGTERM or SIGINT; does not return.

    SIGHUP has new workers take the place of the old ones, which drain.
    """
    set_up(settings.log_format, settings.log_level)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    _Processes(settings, app_path, address, workers).run()
    return 0


class _Processes(BaseApplication):  # type: ignore[misc]  # gunicorn states no types
    """What gunicorn is to run, in its own terms."""

    def __init__(self, settings: Settings, app_path: str | None, address: str, workers: int) -> None:
        self._settings, self._app_path = settings, app_path
        self._chosen = {
            "bind": address,
            "workers": workers,
            "worker_class": ChatWorker,
            "graceful_timeout": math.ceil(settings.drain_s) + LEAVE_S,
            "logger_class": _Log,
            "proc_name": "chatbubble",
            "when_ready": _tell_address,
            "control_socket_disable": True,
        }
        super().__init__()

    def load_config(self) -> None:
        """See BaseApplication. Options that this gunicorn does not have are not needed with it."""
        for name, value in self._chosen.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """See BaseApplication: in each worker by itself, so that a reload brings the app as it is then."""
        from .server import get_app

        return get_app(self._settings, self._app_path)


class _Log(Logger):  # type: ignore[misc]  # gunicorn states no types
    """What gunicorn has to say goes where everything else goes, in the same form."""

    def setup(self, cfg: Any) -> None:
        """See Logger."""
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.propagate = True


def _tell_address(arbiter: Arbiter) -> None:
    host, port = arbiter.LISTENERS[0].getsockname()[:2]
    logger.info("listening on http://%s:%d, with %d processes", host, port, arbiter.num_workers)
