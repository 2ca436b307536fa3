"""The state of each part, in one word: what `GET /healthz` tells."""

from __future__ import annotations

from .clients import Clients
from .generation import TurnParts

OK = "ok"
# So many faults of the provider, one after the other, are no accident.
FAILING_AFTER = 3


def tell_states(parts: TurnParts, clients: Clients, *, is_stored: bool) -> dict[str, str]:
    """The state of each part but the server: `ok`, or what is wrong with it.

    `is_stored` says whether the store has just answered.
    """
    measures = parts.measures
    return {
        "store": "unavailable" if not is_stored else "behind" if measures.late_saves else OK,
        "provider": "failing" if measures.upstream_faults_in_a_row >= FAILING_AFTER else OK,
        "streams": "full" if clients.is_full else OK,
    }
