"""Ids and secrets as somebody guesses who has seen some, and what comes of them."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable
from dataclasses import dataclass

from callers import Cast
from hosting import JSON, OPERATOR_TOKEN, bearer
from raw_http import Answer, Headers, Wire, request

_PER_CONNECTION = 200
_HEX = "0123456789abcdef"
_WORD = string.ascii_letters + string.digits + "-_"


@dataclass(frozen=True)
class Guess:
    """One request, and whether its answer opens anything."""

    method: str
    path: str
    headers: Headers
    body: bytes | None
    opens: Callable[[Answer], bool]


def count_found(cast: Cast, count: int, seed: int) -> tuple[int, list[Guess]]:
    """Send so many guesses; returns how many were answered, and those that opened anything."""
    chance, answered, found = random.Random(seed), 0, []
    while answered < count:
        with Wire(cast.site.port) as wire:
            for _ in range(min(_PER_CONNECTION, count - answered)):
                guess = chance.choice(KINDS)(cast, chance)
                wire.send(request(guess.method, cast.site.prefix + guess.path, guess.headers, guess.body))
                if guess.opens(wire.read()):
                    found.append(guess)
                answered += 1
    return answered, found


def _near(chance: random.Random, real: str, letters: str) -> str:
    """What is not the real one: made up in its shape, or the real one but for a character or its case."""
    kind, _, value = real.rpartition("_") if letters is _HEX else ("", "", real)
    at = chance.randrange(len(value))
    forms = ["".join(chance.choices(letters, k=len(value))), value[:at] + chance.choice(letters) + value[at + 1 :]]
    forms += [value.upper(), value.swapcase(), value[:-1], value + chance.choice(letters), value[::-1]]
    if letters is _HEX:
        forms.append(f"{(int(value, 16) + chance.choice([-2, -1, 1, 2])) % 16**32:032x}")
    guessed = chance.choice(forms)
    return _near(chance, real, letters) if guessed == value else f"{kind}_{guessed}" if kind else guessed


def stream(cast: Cast, chance: random.Random) -> Guess:
    """A stream, read by one who has another: no part of an id counts for the whole."""
    path = f"/chat/{_near(chance, cast.target.stream_id, _HEX)}"
    return Guess("GET", path, [bearer(cast.sessions["owner"])], None, lambda answer: answer.status != 404)


def stop(cast: Cast, chance: random.Random) -> Guess:
    """A stream, stopped by somebody else."""
    path = f"/chat/{_near(chance, cast.target.stream_id, _HEX)}/abort"
    return Guess("POST", path, [bearer(cast.sessions["unheard"])], None, lambda answer: answer.status != 404)


def message(cast: Cast, chance: random.Random) -> Guess:
    """An answer to say something of."""
    body = json.dumps({"messageId": _near(chance, cast.target.message_id, _HEX), "rating": "up"}).encode()
    headers = [JSON, bearer(cast.sessions["owner"])]
    return Guess("POST", "/feedback", headers, body, lambda answer: answer.status != 404)


def session(cast: Cast, chance: random.Random) -> Guess:
    """A visitor's session id: opening nothing, it is that of a visitor who has come for the first time."""
    guessed = _near(chance, cast.sessions["owner"], _WORD)
    return Guess("GET", "/conversation", [bearer(guessed)], None, lambda answer: bool(answer.json()["messages"]))


def operator(cast: Cast, chance: random.Random) -> Guess:
    """The operator's token."""
    del cast
    guessed = _near(chance, OPERATOR_TOKEN, _WORD)
    return Guess("GET", "/stats", [bearer(guessed)], None, lambda answer: answer.status != 401)


KINDS = (stream, stop, message, session, operator)
