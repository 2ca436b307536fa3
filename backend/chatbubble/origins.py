"""Which pages may call: origins compared as parsed scheme, host and port."""

from __future__ import annotations

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .errors import ConfigError

logger = logging.getLogger("chatbubble.origins")

KNOWN_ORIGINS = 256
TOLD_PER_MINUTE = 10

_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_RULE = re.compile(
    rf"(?P<scheme>https?)://(?P<wild>\*\.)?(?P<host>{_LABEL}(\.{_LABEL})*|\[[0-9a-f:.]+\])(:(?P<port>[1-9][0-9]{{0,4}}))?",
    re.ASCII,
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class OriginRules:
    """The rules of CHATBUBBLE_ALLOWED_ORIGINS; `patterns` say the same as regular expressions."""

    patterns: tuple[re.Pattern[str], ...]
    allows_all: bool = False

    @classmethod
    def parse(cls, rules: Iterable[str]) -> OriginRules:
        """Read exact origins (`https://shop.example`), wildcard hosts (`https://*.shop.example`,
        any depth, not the bare host) or `*`.

        Raises ConfigError for anything else.
        """
        patterns, allows_all = [], False
        for rule in rules:
            if rule == "*":
                patterns.append(re.compile(r"https?://[^\s/]+\Z"))
                allows_all = True
            else:
                patterns.append(_pattern(rule))
        return cls(tuple(patterns), allows_all)

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin may call.

        Origins arrive serialised by the browser (RFC 6454, section 6.2): lower case and
        without a default port, so any other spelling is not a browser's and is refused.
        """
        return any(pattern.match(origin) for pattern in self.patterns)


class RefusedOrigins:
    """Tells the operator of each refused origin, once: a page shows its owner no more than a CORS error.

    Strangers can make origins up, so only so many are remembered, and only so many are told in a minute.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._known: OrderedDict[str, None] = OrderedDict()
        self._minute_began_at = now()
        self._told = 0

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._known)

    def tell(self, origin: str) -> None:
        """One line in the log, unless there was one for this origin already."""
        origin = origin[:200]
        if origin in self._known or not self._may_tell():
            return
        self._known[origin] = None
        if len(self._known) > KNOWN_ORIGINS:
            self._known.popitem(last=False)
        # Escaped: whatever came, the line stays one.
        logger.warning("pages of %a may not use the chat: if they should, add it to CHATBUBBLE_ALLOWED_ORIGINS", origin)

    def _may_tell(self) -> bool:
        now = self._now()
        if now - self._minute_began_at >= 60:
            self._minute_began_at, self._told = now, 0
        self._told += 1
        return self._told <= TOLD_PER_MINUTE


def _pattern(rule: str) -> re.Pattern[str]:
    match = _RULE.fullmatch(rule.lower().rstrip("/"))
    if not match or int(match["port"] or 0) > 65_535:
        raise ConfigError(
            "CHATBUBBLE_ALLOWED_ORIGINS should hold origins like https://shop.example or https://*.shop.example "
            f"(a host with other letters in its xn-- form), but one is {rule!r:.80}"
        )
    port = match["port"]
    port = "" if port in (None, _DEFAULT_PORTS[match["scheme"]]) else f":{port}"
    labels = rf"({_LABEL}\.)+" if match["wild"] else ""
    return re.compile(f"{match['scheme']}://{labels}{re.escape(match['host'])}{port}\\Z", re.ASCII)
