"""What the routes of one app work with: a contract, so that they need not know who built it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from .addresses import Addresses
from .assets import Assets
from .chat import Chat
from .clients import Clients
from .config import Settings
from .floodgate import FloodGate
from .identity import Identity
from .limits import Bound, Tries
from .measures import Measures
from .origins import OriginRules, RefusedOrigins

EXTENSION_KEY = "chatbubble"


class Mount(Protocol):
    """Found in `app.extensions[EXTENSION_KEY]`; the extension puts it there."""

    version: str
    settings: Settings
    origins: OriginRules
    refused_origins: RefusedOrigins
    identity: Identity
    addresses: Addresses
    flood_gate: FloodGate
    tokens: Tries
    reads: Bound
    assets: Assets
    clients: Clients
    chat: Chat
    measures: Measures

    @property
    def redact(self) -> Callable[[str], str]:
        """What is done with the words of visitors before they are kept or go anywhere."""
        ...

    def start(self, *, is_one_of_several: bool = False) -> None:
        """Open what needs opening, once. Raises Unpatched or StoreUnavailable, and
        SeveralProcesses when the server has others that run the same app."""
        ...

    def get_stats(self) -> dict[str, Any]:
        """The numbers of `GET /stats`."""
        ...

    def render_metrics(self, accept: str | None, *, of_all: bool = False) -> tuple[bytes, str]:
        """The page of `GET /metrics` and its content type: of this process, or of all."""
        ...

    def get_health(self, *, is_one_of_several: bool = False) -> tuple[bool, dict[str, str]]:
        """Whether all is well, and the state of each part."""
        ...
