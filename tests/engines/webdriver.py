"""The WebDriver commands that these tests need, over the two wires that Debian's browsers have.

Firefox speaks Marionette, a socket with counted JSON messages; WebKit's driver speaks HTTP. The commands and
their answers are the same ones of the WebDriver standard.
"""

from __future__ import annotations

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, Protocol

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# The standard's code points for keys that write nothing.
KEYS = {"Enter": "\ue007", "Shift": "\ue008", "Escape": "\ue00c", "F6": "\ue036", "Tab": "\ue004"}
_ROUTES = {
    "Navigate": ("POST", "/url"),
    "FindElement": ("POST", "/element"),
    "GetElementText": ("GET", "/element/{id}/text"),
    "PerformActions": ("POST", "/actions"),
    "ReleaseActions": ("DELETE", "/actions"),
    "DeleteSession": ("DELETE", ""),
}
_START_S = 30.0
_ANSWER_S = 60.0


class Wire(Protocol):
    """Takes a command, gives its value."""

    def send(self, name: str, parameters: dict[str, Any]) -> Any:
        """The command's value; raises RuntimeError with the browser's words where it failed."""


class Marionette:
    """Firefox's own wire: `<length>:[0, id, command, parameters]`, answered by `[1, id, error, value]`."""

    def __init__(self, port: int) -> None:
        self._socket = _patiently(lambda: socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_S))
        self._stream = self._socket.makefile("rb")
        self._count = 0
        self._read()  # its greeting

    def send(self, name: str, parameters: dict[str, Any]) -> Any:
        """See Wire.send."""
        self._count += 1
        message = json.dumps([0, self._count, f"WebDriver:{name}", parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(message), message))
        _, _, error, value = self._read()
        if error:
            raise RuntimeError(f"{name}: {error['message']}")
        return value["value"] if isinstance(value, dict) and value.keys() == {"value"} else value

    def close(self) -> None:
        """Let go of the socket."""
        self._stream.close()
        self._socket.close()

    def _read(self) -> Any:
        digits = b""
        while (byte := self._stream.read(1)) != b":":
            if not byte:
                raise RuntimeError("the browser closed the connection")
            digits += byte
        return json.loads(self._stream.read(int(digits)))


class Http:
    """The wire of the standard, as far as it is used here."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}/session"
        _patiently(lambda: socket.create_connection(("127.0.0.1", port), timeout=5)).close()

    def send(self, name: str, parameters: dict[str, Any]) -> Any:
        """See Wire.send."""
        if name == "NewSession":
            value = self._call("POST", "", parameters)
            self._address += f"/{value['sessionId']}"
            return value
        method, path = _ROUTES[name]
        return self._call(method, path.format(**parameters), parameters)

    def _call(self, method: str, path: str, parameters: dict[str, Any]) -> Any:
        body = json.dumps(parameters).encode() if method == "POST" else None
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._address + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_S) as answer:
                return json.loads(answer.read())["value"]
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise RuntimeError(f"{method} {path}: {json.loads(refusal.read())['value']['message']}") from None


class Session:
    """One browser window."""

    def __init__(self, wire: Wire, capabilities: dict[str, Any]) -> None:
        self._wire = wire
        # Marionette takes them bare, the standard in an envelope.
        body = capabilities if isinstance(wire, Marionette) else {"capabilities": {"alwaysMatch": capabilities}}
        wire.send("NewSession", body)

    def open(self, url: str) -> None:
        """Go to a page; returns when it was loaded."""
        self._wire.send("Navigate", {"url": url})

    def text(self, selector: str) -> str:
        """The text of the first element that the CSS selector finds."""
        element = self._wire.send("FindElement", {"using": "css selector", "value": selector})
        text: str = self._wire.send("GetElementText", {"id": element[ELEMENT]})
        return text

    def press(self, keys: Sequence[str]) -> None:
        """Type: each entry is text, or a key of KEYS, with `Shift+` before it where that is held meanwhile."""
        steps = []
        for entry in keys:
            *held, last = entry.split("+")
            down = [*(KEYS[key] for key in held)]
            for key in [KEYS[last]] if last in KEYS else last:
                pressed = [*down, key]
                steps += [{"type": "keyDown", "value": each} for each in pressed]
                steps += [{"type": "keyUp", "value": each} for each in reversed(pressed)]
        self._wire.send("PerformActions", {"actions": [{"type": "key", "id": "keyboard", "actions": steps}]})
        self._wire.send("ReleaseActions", {})

    def close(self) -> None:
        """End the browser."""
        self._wire.send("DeleteSession", {})


def _patiently(connect: Callable[[], socket.socket]) -> socket.socket:
    """A connection to a process that was started a moment ago."""
    deadline = time.monotonic() + _START_S
    while True:
        try:
            return connect()
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)
