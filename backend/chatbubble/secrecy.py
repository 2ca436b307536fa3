"""Whether a secret is one, and whether a text gives one away. Rules of thumb, made to be wrong on the quiet side: what
they find is hardly ever anything else, and what they do not find may still be weak."""

from __future__ import annotations

import re
from itertools import pairwise

_FEW = 5  # a random secret of 16 hexadecimal digits has fewer different ones once in a hundred thousand
_PLACEHOLDERS = re.compile(
    r"changeme|changethis|replaceme|replacethis|placeholder|insertyour|your(own)?(secret|token|key|password)"
    r"|(my|some|super|top|default|example)(secret|token|password)|secretkey|letmein|qwerty|asdfgh|password|passw0rd"
)

# What a key looks like, by who gives it.
_KEYS = {
    "an API key": re.compile(
        r"\b(sk|pk|rk|ak)[-_](?=[A-Za-z0-9_-]{0,60}[0-9])[A-Za-z0-9_-]{20}"
        r"|\bAIza[A-Za-z0-9_-]{35}|\bhf_[A-Za-z0-9]{30,}|\bgsk_[A-Za-z0-9]{30,}|\bxai-[A-Za-z0-9]{30,}"
    ),
    "an access token": re.compile(
        r"\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{40}|\bglpat-[A-Za-z0-9_-]{20}"
        r"|\bxox[abeoprs]-[A-Za-z0-9-]{20}"
        r"|\beyJ[A-Za-z0-9_-]{10,1000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10}"
    ),
    "an access key of AWS": re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "an address with a password": re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{0,64}:[^\s/@]{3,200}@[A-Za-z0-9\[]"),
    # Letters and digits in one word, since what follows "the password:" is mostly an ordinary one.
    "a password or key": re.compile(
        r"(?i:pass(word|phrase)?|secret|token|api[ _-]?key|access[ _-]?key)[\"']?\s{0,3}(=|:|is)\s{0,3}[\"'`]?"
        r"(?=\S{0,40}[0-9])(?=\S{0,40}[A-Za-z])[A-Za-z0-9_+/=.~-]{16,}"
    ),
}


def how_guessable(secret: str) -> str:
    """Why somebody would guess this secret soon, in words; empty where nothing speaks for it."""
    plain = re.sub(r"[^a-z0-9]", "", secret.lower())
    if _PLACEHOLDERS.search(plain):
        return "it is what an example says"
    if len(set(secret)) < _FEW:
        return f"it has fewer than {_FEW} different characters"
    if _repeats(secret):
        return "it repeats itself"
    steps = [ord(after) - ord(before) for before, after in pairwise(secret)]
    if sum(step in (-1, 0, 1) for step in steps) * 4 > len(steps) * 3:
        return "it is a row of characters that follow each other"
    return ""


def find_key(text: str) -> str:
    """What kind of key a text seems to hold, in words; empty where there is none."""
    return next((kind for kind, shape in _KEYS.items() if shape.search(text)), "")


def _repeats(text: str) -> bool:
    """Whether the text is one piece of at most 12 characters again and again; the last time it may be cut."""
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, min(12, len(text) // 2) + 1))
