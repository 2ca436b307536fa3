"""Server-sent events, both directions, to the letter of the HTML standard (section 9.2).

Pure: text in and bytes out, or bytes in and events out. The decoder reads the model's
server; the encoder writes our own streams and whatever integrators send with it.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_TYPE = "message"
DEFAULT_MAX_BYTES = 8 * 1024 * 1024

_BOM = b"\xef\xbb\xbf"
_LONGEST_RETRY_MS = 10**18 - 1


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One dispatched event. `id` is the last event id as it stood at its blank line."""

    event: str
    data: str
    id: str


class EventTooLarge(ValueError):
    """One event or line outgrew the decoder's bound. The decoder is of no use after it."""


def encode_event(
    *, data: str | None = None, event: str | None = None, event_id: str | None = None, retry_ms: int | None = None
) -> bytes:
    """The bytes of one event, in the order retry, id, event, data.

    `data` is split at CR, LF and CRLF and nowhere else; an empty text still writes its
    `data` line, since without one nothing would be dispatched. Lone surrogates have no
    UTF-8 form: in `data` they become U+FFFD, as a browser's own encoder does it. (Events
    of `chatbubble.events` are ASCII JSON, where they survive as escapes.)

    Without `data`, an `event_id` moves the reader's cursor silently, and a lone
    `retry_ms` is written as its line only: it takes effect there, and a blank line
    after it makes some readers report an empty event.

    Raises:
        ValueError: `event` or `event_id` holds CR, LF, NUL or a lone surrogate;
            `event_id` begins or ends with a blank, which no HTTP header can carry;
            `retry_ms` is negative; an `event` has no data; or nothing was given.
    """
    if data is None and (event is not None or (event_id is None and retry_ms is None)):
        raise ValueError("an event without data is never dispatched: give data, or only event_id or retry_ms")
    lines = []
    if retry_ms is not None:
        if retry_ms < 0:
            raise ValueError(f"retry_ms must not be negative, got {retry_ms}")
        lines.append(b"retry: %d\n" % retry_ms)
    if event_id is not None:
        if event_id.strip(" \t") != event_id:
            raise ValueError(f"event_id must not begin or end with a blank, got {event_id!r}")
        lines.append(b"id: %b\n" % _encode_name("event_id", event_id))
    if event is not None:
        lines.append(b"event: %b\n" % _encode_name("event", event))
    if data is not None:
        lines.append(b"data: %b\n" % _encode_data(data))
    if data is not None or event_id is not None:
        lines.append(b"\n")
    return b"".join(lines)


def encode_comment(text: str) -> bytes:
    """A comment line, ended by a single LF: a blank line after it would close a block,
    and some readers report an empty event there.

    Raises ValueError when `text` holds CR, LF, NUL or a lone surrogate.
    """
    return b": %b\n" % _encode_name("a comment", text)


class Decoder:
    """Turns the bytes of one stream into events, however the network cuts them.

    `last_event_id` is the id to reconnect with: it changes at a blank line, never before.
    `retry_ms` is the newest wait the server asked for, or None. What the last blank line
    does not close is thrown away by not feeding any further.
    """

    __slots__ = (
        "_data",
        "_event",
        "_id",
        "_is_after_cr",
        "_is_at_start",
        "_max_bytes",
        "_partial",
        "last_event_id",
        "retry_ms",
    )

    def __init__(self, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        """`max_bytes` bounds what may be held: the data of one event and one line."""
        self.last_event_id = ""
        self.retry_ms: int | None = None
        self._max_bytes = max_bytes
        self._partial = bytearray()
        self._data = bytearray()
        self._event = b""
        self._id = ""
        self._is_after_cr = False
        self._is_at_start = True

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events that `chunk` completes, often none.

        Raises EventTooLarge when a line together with the data before it passes `max_bytes`.
        """
        *lines, rest = self._split(chunk)
        if lines and self._partial:
            lines[0] = bytes(self._partial) + lines[0]
            self._partial.clear()
        if lines and self._is_at_start:
            self._is_at_start = False
            lines[0] = lines[0].removeprefix(_BOM)
        events: list[ServerSentEvent] = []
        for line in lines:
            if not line:
                self._dispatch(events)
            else:
                self._bound(len(line))
                self._read_line(line)
        if rest:
            self._partial += rest
            self._bound(len(self._partial))
        return events

    def _split(self, chunk: bytes) -> list[bytes]:
        # A CR ends its line at once. The LF that may follow belongs to it, also when it
        # comes in a later chunk.
        if self._is_after_cr and chunk:
            self._is_after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._is_after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk.split(b"\n")

    def _read_line(self, line: bytes) -> None:
        # Names are ASCII, so comparing bytes is comparing text: the decoding of values
        # waits until they are needed. A comment has an empty name and is ignored like any
        # name we do not know.
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            self._data += value
            self._data += b"\n"
        elif name == b"event":
            self._event = value
        elif name == b"id":
            if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit():
            self.retry_ms = _read_digits(value)

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        self.last_event_id = self._id
        if self._data:
            data = self._data[:-1].decode("utf-8", "replace")
            event = self._event.decode("utf-8", "replace") or DEFAULT_TYPE
            events.append(ServerSentEvent(event, data, self._id))
            self._data.clear()
        self._event = b""

    def _bound(self, line_bytes: int) -> None:
        if line_bytes + len(self._data) > self._max_bytes:
            raise EventTooLarge(f"an event of the stream passes {self._max_bytes} bytes")


def _encode_name(what: str, text: str) -> bytes:
    if "\n" in text or "\r" in text or "\0" in text:
        raise ValueError(f"{what} must not hold CR, LF or NUL, got {text!r}")
    return text.encode()


def _encode_data(text: str) -> bytes:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\ndata: ")
    try:
        return text.encode()
    except UnicodeEncodeError:
        # By way of UTF-16, so that two halves of one character that met in a string
        # become that character.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def _read_digits(digits: bytes) -> int:
    # Python refuses to read thousands of digits, and takes quadratic time for them.
    digits = digits.lstrip(b"0")
    return int(digits or b"0") if len(digits) <= 18 else _LONGEST_RETRY_MS
