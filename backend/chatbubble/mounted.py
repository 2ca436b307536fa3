"""Everything that one app's Chatbubble is made of: settings -> collaborators."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from socket import gethostname
from typing import Any

import gevent
from gevent import monkey
from gevent.lock import BoundedSemaphore

from . import __version__
from .addresses import Addresses
from .assets import Assets
from .chat import Chat
from .checkpoints import Checkpoints
from .choices import create_memory_log, create_provider, create_redis, create_store
from .clients import Clients
from .config import Settings
from .departure import Departure
from .errors import ClientNotFound, SeveralProcesses, StoreUnavailable, Unpatched
from .fleet import Alone, Broadcast, Fleet, ForgetStream, Message, SendTo, StopTurn
from .fleet_metrics import FleetMetrics
from .floodgate import FloodGate
from .generation import TurnParts
from .health import tell_states
from .housekeeping import create_housekeeping
from .hub_lag import HubLag
from .identity import Identity
from .leases import NoLeases
from .limits import create_limits
from .measures import Measures
from .metrics import Metrics
from .origins import OriginRules, RefusedOrigins
from .provider import Provider
from .redaction import choose_redaction
from .saving import Saver
from .sharing import lacking_to_share
from .spending import create_spending
from .statistics import sum_up
from .store import ConversationStore
from .stream_log import StreamLog
from .takeover import Takeover
from .workers import Workers

logger = logging.getLogger("chatbubble")

_LAST_SAVES_S = 2.0
_LAST_EVENTS_S = 5.0  # what a server takes to stop, after its answers
_PAGE = "metrics"  # beside the numbers of a process: its metrics, in Prometheus's text format
_REACH_S = 1.0  # what other processes may take to say that a client is theirs

UNPATCHED = (
    "gevent has not patched the standard library, so one answer would hold up all others, and the chat refuses "
    "every question: put `from gevent import monkey; monkey.patch_all()` first in your program, "
    "or run it with `chatbubble serve --app` or gunicorn's gevent worker"
)
MULTIPROCESS = (
    "the server runs this app in several processes, and so the chat refuses every question: run one process, such as "
    "`gunicorn -k gevent -w 1`; several need %s"
)


class Mounted:
    """Everything that belongs to one app; see the views' `Mount`."""

    version = __version__

    def __init__(
        self,
        config: Mapping[str, Any],
        environ: Mapping[str, str],
        provider: Provider | None,
        store: ConversationStore | None,
        stream_log: StreamLog | None,
    ) -> None:
        self.settings = settings = Settings.read(config, environ)
        self.origins = OriginRules.parse(settings.allowed_origins)
        self.refused_origins = RefusedOrigins()
        if self.origins.allows_all:
            logger.warning("CHATBUBBLE_ALLOWED_ORIGINS is *: every website may use this chat at your expense")
        self.identity = Identity.create(settings)
        self.assets = Assets.load()
        self.provider = provider or create_provider(settings, environ)
        self._redis = create_redis(settings) if settings.redis_url and stream_log is None else None
        hand_over_s = settings.drain_s + _LAST_EVENTS_S
        self.store = store or create_store(settings, is_shared=bool(self._redis), hand_over_s=hand_over_s)
        self.fleet: Fleet = self._redis.fleet if self._redis else Alone()
        self.log = stream_log or (self._redis.log if self._redis else create_memory_log(settings))
        counters = (self._redis.windows, self._redis.places) if self._redis else ()
        limits = create_limits(settings, *counters)
        self.addresses, self.tokens, self.reads = Addresses(settings.trusted_proxies), limits.tokens, limits.reads
        self.clients = Clients(settings.max_streams, limits.streams)
        self.measures = Measures()
        self.flood_gate = FloodGate(limits.questions, self.addresses, self.clients.slots, self.measures)
        self.saver = Saver(self.store, self.measures)
        self.spending = create_spending(settings, self.provider, self.store)
        counting = Checkpoints(self.store), self.saver, self.measures, self.spending
        self._parts = parts = TurnParts(settings, self.provider, self.store, self.log, *counting)
        leases = self._redis.leases if self._redis else NoLeases()
        self.workers = Workers(parts, leases, limits.turns)
        self._takeover = Takeover(self.store, self.log, self.workers, leases, parts.measures)
        self.metrics = Metrics(parts, self.clients, self.workers, __version__)
        self._hub_lag = HubLag(self.measures.hub_lag)
        self.chat = Chat(self.store, self.log, self.workers, self.saver, self.fleet, limits)
        self._housekeeping = create_housekeeping(self.store, settings.keep_days, self.chat.forget)
        self._start_lock, self._is_started, self._has_complained = BoundedSemaphore(1), False, False
        self.lacking_to_share = lacking_to_share(settings, has_own_log=bool(stream_log), has_own_store=bool(store))

    @property
    def redact(self) -> Callable[[str], str]:
        """See Mount."""
        return choose_redaction(self.settings.redact)

    def start(self, *, is_one_of_several: bool = False) -> None:
        """Open the store and end turns that an earlier process left running; once.

        On first use and not when the app is made, so that a server may fork in between.
        """
        if is_one_of_several and self.lacking_to_share:
            self._complain_once()
            raise SeveralProcesses()
        if not self._is_started:
            with self._start_lock:
                self._start_once()

    def _complain_once(self) -> None:
        if not self._has_complained:
            self._has_complained = True
            logger.error(MULTIPROCESS, self.lacking_to_share)

    def _start_once(self) -> None:
        if self._is_started:
            return
        if not monkey.is_module_patched("socket"):
            raise Unpatched()
        if self._redis is not None:
            self._redis.connect()
        self.store.open()
        interrupted = self.store.interrupt_running()
        if interrupted:
            logger.warning("%d answers were cut by the last stop; they are marked as interrupted", interrupted)
        self.spending.open()
        if self.settings.operator_token:
            self._hub_lag.start()
        self.fleet.open(self._hear, self._report)
        self._takeover.open()
        self._housekeeping.start()
        self._is_started = True

    def broadcast(self, event: str, data: Any) -> int:
        """See Chatbubble.broadcast."""
        reached = self.clients.broadcast(event, data)
        self.fleet.post(Broadcast(event, data))
        others = sum(int(other.get("activeChannels", 0)) for other in self.fleet.get_others())
        return reached + others

    def send(self, client_id: str, event: str, data: Any) -> None:
        """See Chatbubble.send."""
        try:
            self.clients.send(client_id, event, data)
        except ClientNotFound:
            if not self.fleet.reach(SendTo(client_id, event, data), _REACH_S):
                raise

    def _hear(self, message: Message) -> bool:
        """What another process has posted; whether it was meant for this one. Never waits."""
        if isinstance(message, Broadcast):
            gevent.spawn(self.clients.broadcast, message.event, message.data)
        elif isinstance(message, SendTo):
            return self.clients.has_channel(message.client_id) and self._pass_on(message)
        elif isinstance(message, StopTurn | ForgetStream):
            if isinstance(message, ForgetStream):
                self.log.forget(message.stream_id)
                self.saver.forget(message.stream_id)
            gevent.spawn(self.workers.stop, message.stream_id)
        return True

    def _pass_on(self, message: SendTo) -> bool:
        self.clients.send(message.client_id, message.event, message.data)
        return True

    def drain(self, budget_s: float | None = None, make_way: Callable[[], None] = lambda: None) -> None:
        """See Chatbubble.drain.

        Args:
            budget_s: what running answers have to finish, instead of CHATBUBBLE_DRAIN_S.
            make_way: called once other processes go on in place of this one: it need take no more connections.
        """
        departure = Departure(self.workers, self.clients, self.log, self.fleet, make_way)
        departure.run(self.settings.drain_s if budget_s is None else budget_s)
        self.saver.flush(_LAST_SAVES_S)
        self.spending.flush(_LAST_SAVES_S)
        self.clients.close_channels()

    def close(self) -> None:
        """Release the store and Redis, after `drain`."""
        self._hub_lag.stop()
        self._housekeeping.stop()
        if self._redis is not None and not self._redis.close(_LAST_EVENTS_S):
            logger.warning("the last events of some answers are not in Redis")
        if self._is_started:
            self.spending.flush(_LAST_SAVES_S)
            self.store.close()

    def get_stats(self) -> dict[str, Any]:
        """The numbers of `GET /stats`: all processes together, and each."""
        own = self._count()
        others = [{name: value for name, value in told.items() if name != _PAGE} for told in self.fleet.get_others()]
        return {**sum_up(own, others), "processes": [own, *others]}

    def render_metrics(self, accept: str | None, *, of_all: bool = False) -> tuple[bytes, str]:
        """The page of `GET /metrics` and its content type: of this process, or of all."""
        if not of_all:
            return self.metrics.render(accept)
        told = [self._report(), *self.fleet.get_others()]
        return FleetMetrics({f"{each['host']}:{each['pid']}": each[_PAGE] for each in told}).render(accept)

    def _report(self) -> dict[str, Any]:
        """What other processes know of this one."""
        return {**self._count(), _PAGE: self.metrics.render(None)[0].decode()}

    def _count(self) -> dict[str, Any]:
        """The numbers of this process."""
        log = {f"log{name.capitalize()}": count for name, count in self.log.get_stats().items()}
        return {
            **self.clients.get_stats(),
            **self.workers.get_stats(),
            **log,
            "unsaved": self.measures.late_saves,
            "savedLate": self.measures.saved_late,
            "savedNever": self.measures.saved_never,
            **self.spending.get_stats(),
            "fallbacks": self.measures.fallbacks,
            "provider": self.provider.name,
            "model": self.provider.model,
            "version": __version__,
            "host": gethostname(),
            "pid": os.getpid(),
            "isDraining": self.workers.is_draining,
        }

    def get_health(self, *, is_one_of_several: bool = False) -> tuple[bool, dict[str, str]]:
        """Whether questions would be answered, and the state of each part."""
        server = "ok"
        if is_one_of_several and self.lacking_to_share:
            self._complain_once()
            server = "multiprocess"
        elif not monkey.is_module_patched("socket"):
            server = "unpatched"
        is_stored = server == "ok" and self._is_store_ready()
        parts = {
            "server": "draining" if self.workers.is_draining else server,
            **tell_states(self._parts, self.clients, is_stored=is_stored),
        }
        if self._redis is not None:
            parts["redis"] = "ok" if self._redis.log.is_ready else "unavailable"
        return is_stored and not self.workers.is_draining, parts

    def _is_store_ready(self) -> bool:
        try:
            self.start()
        except StoreUnavailable as failure:
            logger.warning("the store cannot be opened: %s", failure.detail)
            return False
        return self.store.is_ready()
