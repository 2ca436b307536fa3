"""A visitor who speaks HTTP/2: each request on a connection of its own, read as `stream_client` reads HTTP/1.1."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from stream_client import Connection, Reply, opened

_TIMEOUT_S = 10.0


class Http2Connection(Connection):
    """One TLS connection to localhost, whose server has to choose HTTP/2. It sends requests and can be closed; its
    bytes are frames, which are nobody's business here."""

    def __init__(self, port: int, certificate: Path) -> None:
        context = ssl.create_default_context(cafile=str(certificate))
        self._client = httpx2.Client(http1=False, http2=True, verify=context, timeout=_TIMEOUT_S)
        self._origin = f"https://localhost:{port}"
        opened.add(self)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        session: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send one request and read the head of its answer."""
        own = {"Authorization": f"Bearer {session}"} if session is not None else {}
        sent = self._client.build_request(method, self._origin + path, json=body, headers={**own, **(headers or {})})
        response = self._client.send(sent, stream=True)
        assert response.http_version == "HTTP/2"
        return Http2Reply(self, response.status_code, dict(response.headers), response=response)

    def close(self) -> None:
        """Close the connection, and so every answer on it."""
        opened.discard(self)
        self._client.close()


@dataclass
class Http2Reply(Reply):
    """One answer."""

    response: httpx2.Response = field(kw_only=True)

    def chunks(self) -> Iterator[bytes]:
        """The body as it comes."""
        for chunk in self.response.iter_raw():
            self.wire += chunk
            yield chunk
        self.is_at_end = True

    def close(self) -> None:
        """Reset the stream, then close the connection."""
        self.response.close()
        super().close()
