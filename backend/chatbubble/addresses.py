"""Where a request comes from: the address that limits are counted by."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

logger = logging.getLogger("chatbubble.addresses")

_NETWORK_BITS = 64  # what one customer gets at least: whoever has it has any address in it
# 192.0.2.1, 192.0.2.1:443, 2001:db8::1, [2001:db8::1], [2001:db8::1]:443
_ENTRY = re.compile(r"\[([0-9A-Fa-f:.]+)(?:%[^\]]*)?\](?::\d+)?|([0-9.]+):\d+|([0-9A-Fa-f:.]+)(?:%.*)?", re.ASCII)

_UNTOLD = (
    "a request came with an X-Forwarded-For, and CHATBUBBLE_TRUSTED_PROXIES is 0. If there are proxies before this "
    "server, set it to their number: all visitors count as one address now, and share its limits. If there are none, "
    "somebody made the header up, and it should stay 0"
)
_BYPASSED = (
    "CHATBUBBLE_TRUSTED_PROXIES is %d, but a request came without so many addresses in X-Forwarded-For: it counts as "
    "its connection's own, %s. Has each proxy set the header?"
)


class Addresses:
    """Tells addresses of requests, believing `trusted_proxies` proxies and nobody else.

    Each proxy appends to X-Forwarded-For whom it was called by, so the entry that far from the right is the visitor's;
    what stands left of it, anybody may have written.
    """

    def __init__(self, trusted_proxies: int) -> None:
        self._trusted_proxies = trusted_proxies
        self._has_complained = False

    def of(self, environ: Mapping[str, Any]) -> str:
        """The address of a WSGI request: of IPv6 its network of 64 bits, of IPv4 within IPv6 the IPv4 alone; empty
        where the server tells none.

        Where X-Forwarded-For is too short or holds no address at that place, it is that of the connection.
        """
        connection = _parse(environ.get("REMOTE_ADDR") or "")
        told = environ.get("HTTP_X_FORWARDED_FOR") or ""
        if not self._trusted_proxies:
            if told and (connection is None or connection.is_private):
                self._complain_once(_UNTOLD)
            return _counted(connection)
        entries = told.split(",")
        visitor = _parse(entries[-self._trusted_proxies]) if len(entries) >= self._trusted_proxies else None
        if visitor is None:
            self._complain_once(_BYPASSED, self._trusted_proxies, connection)
        return _counted(visitor or connection)

    def _complain_once(self, *words: Any) -> None:
        if not self._has_complained:
            self._has_complained = True
            logger.warning(*words)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    match = _ENTRY.fullmatch(text.strip())
    if match is None:
        return None
    try:
        address = ip_address(match[1] or match[2] or match[3])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _counted(address: IPv4Address | IPv6Address | None) -> str:
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, _NETWORK_BITS), strict=False))
    return str(address or "")
