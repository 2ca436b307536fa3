"""Which pages may call: origins compared as parsed scheme, host and port."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .errors import ConfigError

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
