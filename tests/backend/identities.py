"""Tokens as sites make them, and in ten thousand ways as nobody should."""

from __future__ import annotations

import base64
import functools
import hmac
import json
import random
import string
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

SECRET = "an-identity-secret-of-the-tests-0"  # noqa: S105 -- guards nothing
OTHER_SECRET = "another-secret-that-is-long-enough"  # noqa: S105 -- guards nothing
ALGORITHMS = {"": "HS256", "rsa": "RS256", "ed": "EdDSA", "next": "HS256"}


@functools.cache
def private_keys() -> dict[str, Any]:
    """What a site signs with, by key id; made once."""
    return {
        "": SECRET,
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ed": ed25519.Ed25519PrivateKey.generate(),
        "next": "the-secret-that-comes-after-the-first",
    }


def public_pem(name: str) -> str:
    """The public half of a pair."""
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    pem: bytes = private_keys()[name].public_key().public_bytes(*form)
    return pem.decode()


def private_pem(name: str) -> str:
    """The half that stays with the site."""
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem: bytes = private_keys()[name].private_bytes(*form)
    return pem.decode()


@functools.cache
def key_table() -> dict[str, dict[str, str]]:
    """What CHATBUBBLE_IDENTITY_KEYS names, as JSON."""
    return {
        "rsa": {"alg": "RS256", "key": public_pem("rsa")},
        "ed": {"alg": "EdDSA", "key": public_pem("ed")},
        "next": {"alg": "HS256", "key": private_keys()["next"]},
    }


def claims_of(subject: Any = "customer-1", **changes: Any) -> dict[str, Any]:
    """The claims of a token in order but for the changes; one that is `...` is left out."""
    now = int(time.time())
    claims = {"sub": subject, "aud": "chatbubble", "iat": now, "exp": now + 300, **changes}
    return {name: value for name, value in claims.items() if value is not ...}


def encoded(data: Any) -> str:
    """JSON, or bytes as they are, in the Base64 of tokens."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def token(name: str = "", subject: Any = "customer-1", **changes: Any) -> str:
    """A token that is signed with the key of this id."""
    headers = {"kid": name} if name else None
    return jwt.encode(claims_of(subject, **changes), private_keys()[name], ALGORITHMS[name], headers)


def by_hand(header: dict[str, Any], claims: Any, secret: bytes = SECRET.encode()) -> str:
    """A token that a library would not make: any header and claims, signed by HMAC in any case."""
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}.{encoded(hmac.digest(secret, text.encode(), 'sha256'))}"


Chance = random.Random
Mutation = Callable[[Chance], str]


def _any_key(chance: Chance) -> str:
    return chance.choice(list(ALGORITHMS))


def _good(chance: Chance) -> str:
    name = _any_key(chance)
    return token(name, f"customer-{chance.randrange(1000)}")


def bit_flipped(chance: Chance) -> str:
    """One bit of one character."""
    good = _good(chance)
    at = chance.randrange(len(good))
    return good[:at] + chr(ord(good[at]) ^ 1 << chance.randrange(8)) + good[at + 1 :]


def last_changed(chance: Chance) -> str:
    """Another last character, whose bits may not all count."""
    good = _good(chance)
    return good[:-1] + chance.choice([letter for letter in string.ascii_letters + "-_" if letter != good[-1]])


def unsigned(chance: Chance) -> str:
    """No algorithm, in all spellings, with or without a signature."""
    header = {"typ": "JWT", "alg": chance.choice(["none", "None", "NONE", "nOnE", "", None])}
    if chance.random() < 0.5:
        header["kid"] = _any_key(chance)
    return f"{encoded(header)}.{encoded(claims_of())}.{chance.choice(['', 'AA', _good(chance).split('.')[2]])}"


def confused(chance: Chance) -> str:
    """The public key, which everybody knows, as the secret of an HMAC."""
    name = chance.choice(["rsa", "ed"])
    pem = public_pem(name).encode()
    secret = chance.choice([pem, pem.strip(), pem.replace(b"\n", b""), pem.replace(b"\n", b"\r\n")])
    kid = chance.choice([{"kid": name}, {}])
    return by_hand({"alg": chance.choice(["HS256", "RS256", "EdDSA"]), **kid}, claims_of(), secret)


def of_another_key(chance: Chance) -> str:
    """Signed with one key, said to be signed with another."""
    name, said = chance.sample(list(ALGORITHMS), 2)
    return jwt.encode(claims_of(), private_keys()[name], ALGORITHMS[name], {"kid": said} if said else None)


def of_an_unknown_key(chance: Chance) -> str:
    """A key id that is in no table, or is no text."""
    kid = chance.choice(["", "RSA", "rsa\0", "../rsa", "x" * 500, 7, None, ["rsa"], {"rsa": 1}, True, "\u202ersa"])
    return by_hand({"alg": "HS256", "kid": kid or "constructor"}, claims_of())


def of_another_secret(chance: Chance) -> str:
    """As somebody guesses it."""
    return jwt.encode(claims_of(), chance.choice([OTHER_SECRET, SECRET + "0", SECRET[:-1] + "1"]), "HS256")


def of_another_algorithm(chance: Chance) -> str:
    """A kin of the one that the key is for."""
    if chance.random() < 0.5:
        return jwt.encode(claims_of(), SECRET.ljust(64, "x"), chance.choice(["HS384", "HS512"]))
    algorithm = chance.choice(["RS384", "RS512", "PS256"])
    return jwt.encode(claims_of(), private_keys()["rsa"], algorithm, {"kid": "rsa"})


def misdated(chance: Chance) -> str:
    """Over, not begun, living too long, or dated by no number."""
    now = int(time.time())
    far = chance.randrange(65, 10**6)
    odd = chance.choice(["soon", None, [now], {"at": now}, True, now + 0.5, str(now + 60), 1e300, -1])
    changes: dict[str, Any] = chance.choice([
        {"iat": now - 300 - far, "exp": now - far}, {"iat": now + far, "exp": now + far + 60},
        {"nbf": now + far}, {"exp": now + 3601 + far}, {"iat": now - far, "exp": now + 3601},
        {"exp": odd}, {"iat": odd},
    ])  # fmt: skip
    return by_hand({"alg": "HS256"}, claims_of(**changes))


def misaddressed(chance: Chance) -> str:
    """For somebody else."""
    aud = chance.choice(
        ["Chatbubble", "chatbubble ", "chat", "", None, [], ["shop"], {"chatbubble": 1}, 7, "\u0441hat"]
    )
    return by_hand({"alg": "HS256"}, claims_of(aud=aud))


def lacking(chance: Chance) -> str:
    """Without one of the claims, or with nobody in it."""
    changes: dict[str, Any] = chance.choice([
        {"sub": ...}, {"aud": ...}, {"exp": ...}, {"iat": ...}, {"sub": ""}, {"sub": None}, {"sub": 7}, {"sub": ["a"]},
        {"sub": {"a": 1}}, {"sub": "x" * chance.randrange(256, 2000)}, {"sub": True},
    ])  # fmt: skip
    return by_hand({"alg": "HS256"}, claims_of(**changes))


def of_swapped_parts(chance: Chance) -> str:
    """Put together from two that are in order."""
    first, second = (_good(chance).split(".") for _ in range(2))
    second[1] = encoded(claims_of("customer-of-others"))
    mix = [chance.choice(pair) for pair in zip(first, second, strict=True)]
    mix[1] = second[1]
    return ".".join(mix)


def misshapen(chance: Chance) -> str:
    """Cut, doubled, padded, with what is no Base64 in between, or huge."""
    good = _good(chance)
    at = chance.randrange(1, len(good))
    noise = chance.choice(
        ["\u00e9", "\ud800", "\u202e", "\0", " ", "\n", "=", "==", ".", "+", "/", "%2e", "\U0001f600", "!"]
    )
    forms = [good[:at], good[at:], good + good, good + noise, noise + good, good[:at] + noise + good[at:]]
    forms += [good.replace(".", "", 1), good.replace(".", ".."), good + "." + good.split(".")[2], "", ".", "..", noise]
    forms += [good + "A" * 9000, "A" * 9000, good.upper(), good.swapcase(), good[::-1], f"Bearer {good}", f'"{good}"']
    return chance.choice(forms)


def of_an_odd_header(chance: Chance) -> str:
    """A header that demands something, is said twice, is deep, or is none."""
    raw: Any = chance.choice([
        b'{"alg":"HS256","alg":"none"}', b'{"alg":"HS256","kid":"ed","kid":""}', b"[" * 2000, b"{" * 100, b"[]",
        b"null", b"7", b"\xff\xfe", b"", {"alg": "HS256", "crit": ["exp"], "exp": 1},
        {"alg": "HS256", "b64": False, "crit": ["b64"]},
        {"alg": ["HS256"]}, {"alg": {"HS256": 1}}, {"typ": "JWT"}, {"alg": "HS256", "crit": []},
        {"alg": "hs256"}, {"alg": "HS256\0"},
    ])  # fmt: skip
    return by_hand(raw, claims_of())


def of_odd_claims(chance: Chance) -> str:
    """Signed as it should be, and no object of claims."""
    raw: Any = chance.choice([b"[]", b"null", b"7", b'"sub"', b"", b"[" * 2000, b"\xff", b"{}", b"{", [claims_of()]])
    return by_hand({"alg": "HS256"}, raw)


MUTATIONS: tuple[Mutation, ...] = (
    bit_flipped, last_changed, unsigned, confused, of_another_key, of_an_unknown_key, of_another_secret,
    of_another_algorithm, misdated, misaddressed, lacking, of_swapped_parts, misshapen, of_an_odd_header, of_odd_claims,
)  # fmt: skip
