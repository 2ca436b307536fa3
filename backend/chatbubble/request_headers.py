"""The headers of a request, to the letter of RFC 9112: what two readers might read differently is no header.

The standard library reads them as those of an email: it forgives what proxies refuse, and takes 30 us longer for the
five headers of a script, more for a browser's fifteen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

_LONGEST_LINE = 65_536
_MOST = 100
# No blank before the colon, no line that goes on with the next, no control character but a tab.
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*\r?\n", re.ASCII)
_END = (b"\r\n", b"\n")


class RequestHeaders:
    """The headers of one request, in the form in which gevent asks for them.

    Attributes:
        status: what is wrong with them: nothing, or `read` would have raised.
    """

    __slots__ = ("_fields",)

    status = ""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self._fields = fields

    @classmethod
    def read(cls, file: BinaryIO) -> RequestHeaders:
        """Read them, and the empty line behind them. Raises ValueError, and what the file raises."""
        fields: list[tuple[str, str]] = []
        while (line := file.readline(_LONGEST_LINE + 1)) not in _END:
            match = _FIELD.fullmatch(line.decode("latin-1"))
            if match is None or len(line) > _LONGEST_LINE or len(fields) == _MOST:
                raise ValueError("not a header, or one too many" if line else "the headers end too early")
            fields.append((match[1].lower(), match[2]))
        return cls(fields)

    def get_all(self, name: str) -> list[str]:
        """Every value of a header, as often as it came. `name` is in lower case."""
        return [value for known, value in self._fields if known == name]

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of a header."""
        name = name.lower()
        return next((value for known, value in self._fields if known == name), default)

    getheader = get

    @property
    def typeheader(self) -> str | None:
        """The content type."""
        return self.get("content-type")

    def environ(self) -> Iterator[tuple[str, str]]:
        """All but type and length, by their names in a WSGI environ. Not those with an underscore, which would pass
        for others there."""
        for name, value in self._fields:
            if "_" not in name and name not in ("content-type", "content-length"):
                yield "HTTP_" + name.replace("-", "_").upper(), value

    def __delitem__(self, name: str) -> None:
        name = name.lower()
        self._fields = [field for field in self._fields if field[0] != name]
