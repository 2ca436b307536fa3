"""Card numbers, IBANs and keys that a visitor has pasted: what is put in their place. Pure.

Nothing is guessed from one digit: a card number begins as those of the networks do and has a right check digit (Luhn),
an IBAN has its country's length and a right check number (mod 97), a key the prefix that its issuer gives it. They are
found however they are grouped. About one number in ten that looks like a card's passes for one: 13 to 19 digits in a
row, or in groups, that begin with 3 to 6. Shorter numbers, as of orders and telephones, never do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise

CARD, IBAN, KEY = "[card number removed]", "[IBAN removed]", "[key removed]"

# What people, forms and word processors put between groups: blanks and dashes of all kinds, and what cannot be seen.
_BETWEEN = r"[\s\-\u00ad\u2010-\u2015\u2212\u200b-\u200f\u2060\ufeff_.,:;/|\\*'\u00b7\u2022]"
_GAP = rf"{_BETWEEN}{{0,3}}"

_KEYS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<![A-Za-z])(?:"
    r"(?:sk|rk)[-_][A-Za-z0-9_-]{16,}"  # OpenAI, Anthropic, Stripe
    r"|(?:gsk_|hf_|xai-)[A-Za-z0-9]{30,}"  # Groq, Hugging Face, xAI
    r"|(?:AKIA|ASIA)[A-Z0-9]{16,}"  # AWS
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}"
    r"|xox[a-z]-[A-Za-z0-9-]{10,}"  # Slack
    r"|AIza[A-Za-z0-9_-]{35,}"  # Google
    r"|eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*"  # a JSON Web Token
    r"|(?i:bearer)[ \t]+[A-Za-z0-9._~+/-]{16,}=*"
    r")"
)

# How long an IBAN of each country is, by the register of SWIFT.
_IBAN_CHARS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
        "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 "
        "LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 "
        "PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 "
        "YE30",
    )
}
_IBAN_START = re.compile(rf"([A-Za-z]){_GAP}([A-Za-z]){_GAP}(?=\d{_GAP}\d)")
_IBAN_CHAR = re.compile(rf"{_GAP}([A-Za-z]|\d)")

_FEWEST, _MOST = 13, 19
_DIGITS = re.compile(rf"\d(?:{_GAP}\d){{{_FEWEST - 1},}}")
# The first four digits of what the card networks give out.
_NETWORKS = re.compile(r"[3-6]|220[0-4]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|8[12]|9792")
_TELEPHONE_DIGITS = 15  # with a plus before them, as everywhere in the world


def choose_redaction(choice: str) -> Callable[[str], str]:
    """What CHATBUBBLE_REDACT asks to be done with a visitor's words."""
    return redact if choice == "on" else str


def redact(text: str) -> str:
    """`text` with marks where card numbers, IBANs and keys were. What was redacted once stays as it is."""
    # One that is glued to another is seen once that one is gone.
    while (redacted := _redact_once(text)) != text:
        text = redacted
    return text


def _redact_once(text: str) -> str:
    text = _KEYS.sub(KEY, text)
    text = _replace(text, _find_ibans(text), IBAN)
    return _replace(text, _find_cards(text), CARD)


def _replace(text: str, spans: Iterator[tuple[int, int]], mark: str) -> str:
    """`text` with one mark for each group of spans that overlap. They come by their beginnings."""
    parts, end = [""], 0
    for start, stop in spans:
        if start >= end:
            parts += text[end:start], mark
        end = max(end, stop)
    return "".join(parts) + text[end:]


def _find_ibans(text: str) -> Iterator[tuple[int, int]]:
    for match in _IBAN_START.finditer(text):
        length = _IBAN_CHARS.get(f"{match[1]}{match[2]}".upper(), 0)
        chars, end = [match[1], match[2]], match.end()
        while len(chars) < length and (found := _IBAN_CHAR.match(text, end)):
            chars.append(found[1])
            end = found.end()
        if len(chars) == length and _is_iban(chars):
            yield match.start(), end


def _is_iban(chars: list[str]) -> bool:
    """Whether length and country, already right, come with a right check number (ISO 7064)."""
    return int("".join(str(int(char, 36)) for char in chars[4:] + chars[:4])) % 97 == 1


def _find_cards(text: str) -> Iterator[tuple[int, int]]:
    for match in _DIGITS.finditer(text):
        yield from _cards_of(text, [place for place in range(*match.span()) if text[place].isdecimal()])


def _cards_of(text: str, places: list[int]) -> Iterator[tuple[int, int]]:
    """The card numbers among digits with little between them, each beginning and ending where a group does."""
    digits = [int(text[place]) for place in places]
    # Luhn sums up to each digit: one where those at even places are doubled, one where those at odd places are.
    sums = [
        [0, *accumulate(_doubled(digit) if place % 2 == odd else digit for place, digit in enumerate(digits))]
        for odd in (0, 1)
    ]
    begins = [place == 0 or places[place] > places[place - 1] + 1 for place in range(len(places))] + [True]
    shown = "".join(map(str, digits))
    for start in range(len(places) - _FEWEST + 1):
        if not begins[start] or not _NETWORKS.match(shown, start):
            continue
        for stop in range(start + _FEWEST, min(start + _MOST, len(places)) + 1):
            luhn = sums[stop % 2]  # the last digit, at stop - 1, is not doubled
            is_card = begins[stop] and (luhn[stop] - luhn[start]) % 10 == 0
            if is_card and _looks_like_one_number(text, places[start:stop]):
                yield places[start], places[stop - 1] + 1


def _doubled(digit: int) -> int:
    return digit * 2 - 9 * (digit > 4)


def _looks_like_one_number(text: str, places: list[int]) -> bool:
    """Not a telephone number, nor a row of prices or dates: whoever writes one number in small groups writes the same
    between all of them."""
    if text[places[0] - 1 : places[0]] == "+" and len(places) <= _TELEPHONE_DIGITS:
        return False
    gaps = [(left, right) for left, right in pairwise(places) if right > left + 1]
    groups = [len(group) for group in re.findall(r"\d+", text[places[0] : places[-1] + 1])]
    return len({text[left + 1 : right] for left, right in gaps}) < 2 or min(groups[:-1]) >= 4
