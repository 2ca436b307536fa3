"""Card numbers, IBANs and keys go, however they are grouped; what only looks a little like them stays."""

from __future__ import annotations

import re
import string
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keys import ISSUED
from serving import Serve
from stream_client import Connection

from chatbubble.redaction import CARD, IBAN, KEY, choose_redaction, redact

# Numbers that networks and banks publish for tests.
CARDS = [
    "4111111111111111", "4012888888881881", "4222222222222", "5555555555554444", "5105105105105100", "2223003122003222",
    "378282246310005", "371449635398431", "6011111111111117", "3530111333300000", "30569309025904", "6200000000000005",
    "6759649826438453", "4000000000000000006",
]  # fmt: skip
IBANS = [
    "DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606", "NO9386011117947",
    "MT84MALT011000012345MTLCAST001S", "BR1800360305000010009795493C1", "NL91ABNA0417164300", "ch9300762011623852957",
]  # fmt: skip
KEYS = [*(key for keys in ISSUED.values() for key in keys), "Bearer 0123456789abcdef0123=="]
GAPS = ["", " ", "-", ".", " - ", "\u00a0", "\u2009", "\u2013", "\u200b", "\n", "/", "_", ", ", "\t", "\u00ad"]
gaps = st.sampled_from(GAPS)
words = st.text(st.characters(exclude_categories=["Nd", "Cs"], exclude_characters="+"), max_size=20)


@st.composite
def cards(draw: st.DrawFn) -> str:
    """The digits of a card of any network."""
    start = draw(st.sampled_from(["4", "51", "55", "2221", "2720", "34", "37", "6011", "65", "3528", "30", "36", "62"]))
    digits = start + draw(st.text(string.digits, min_size=12 - len(start), max_size=18 - len(start)))
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(f"{digits}0"[::-1])]
    return f"{digits}{-sum(number // 10 + number % 10 for number in doubled) % 10}"


@st.composite
def ibans(draw: st.DrawFn) -> str:
    """An IBAN of Germany or Great Britain."""
    country, bank, count = draw(st.sampled_from([("DE", "", 18), ("GB", "NWBK", 14)]))
    account = bank + draw(st.text(string.digits, min_size=count, max_size=count))
    number = int("".join(str(int(char, 36)) for char in f"{account}{country}00"))
    return f"{country}{98 - number % 97:02}{account}"


def grouped(draw: Callable[[st.SearchStrategy[str]], str], chars: str, sizes: list[int]) -> str:
    """`chars` in groups of these sizes, over and over, with the same between all."""
    groups: list[str] = []
    place = 0
    while place < len(chars):
        size = sizes[len(groups) % len(sizes)]
        groups.append(chars[place : place + size])
        place += size
    return draw(gaps).join(groups)


def digits_of(text: str) -> str:
    """All digits and letters of a text, without what is between."""
    return re.sub(r"[\W_]", "", text)


@given(st.data())
def test_no_card_number_survives_whatever_is_between_its_groups(data: st.DataObject) -> None:
    digits = data.draw(cards())
    sizes = data.draw(st.sampled_from([[1], [2], [3], [4], [4, 6, 5], [19], [5, 1]]))
    before, after = data.draw(words), data.draw(words)
    redacted = redact(f"{before} {grouped(data.draw, digits, sizes)}?{after}")
    assert digits not in digits_of(redacted)
    assert CARD in redacted
    assert not any(char.isdecimal() for char in redacted)


@given(cards(), st.lists(gaps, min_size=5, max_size=5))
def test_no_card_number_in_fours_survives_different_things_between_them(digits: str, between: list[str]) -> None:
    groups = re.findall(r"\d{1,4}", digits)
    written = "".join(group + gap for group, gap in zip(groups, between, strict=False))
    assert not any(char.isdecimal() for char in redact(written))


@given(st.data())
def test_no_iban_survives_whatever_is_between_its_groups(data: st.DataObject) -> None:
    iban = data.draw(ibans())
    before, after = data.draw(words), data.draw(words)
    written = grouped(data.draw, iban, data.draw(st.sampled_from([[4], [1], [2, 10], [40]])))
    redacted = redact(f"{before} {written} {after}")
    assert digits_of(iban) not in digits_of(redacted)
    assert IBAN in redacted


def test_of_two_keys_that_are_glued_together_none_is_left() -> None:
    assert redact("AKIAIOSFODNN7EXAMPLEsk-proj-4f9d8c7b6a5e4d3c2b1a") == KEY * 2


@given(st.data())
def test_what_was_redacted_once_stays_as_it_is(data: st.DataObject) -> None:
    told = st.one_of(cards(), ibans(), st.sampled_from(KEYS), st.text(max_size=20), gaps, st.text(string.digits))
    once = redact("".join(data.draw(st.lists(told, max_size=12))))
    assert redact(once) == once


@given(st.text(st.characters(exclude_categories=["Nd"])), st.text(string.digits, max_size=12))
def test_no_short_number_and_no_text_without_one_is_touched(text: str, number: str) -> None:
    without_letters = re.sub(r"[A-Za-z]", "", text)
    assert redact(f"{number}{without_letters}") == f"{number}{without_letters}"


@pytest.mark.parametrize("number", CARDS)
def test_published_card_numbers_go(number: str) -> None:
    assert redact(f"Mine is {number}, until 12/29.") == f"Mine is {CARD}, until 12/29."
    fours = " ".join(re.findall(r"\d{1,4}", number))
    assert redact(f"{fours}\nor {number}") == f"{CARD}\nor {CARD}"


@pytest.mark.parametrize("number", IBANS)
def test_published_ibans_go(number: str) -> None:
    fours = " ".join(re.findall(r".{1,4}", number))
    assert redact(f"To {fours} please, {number}!") == f"To {IBAN} please, {IBAN}!"


@pytest.mark.parametrize("key", KEYS)
def test_keys_go(key: str) -> None:
    assert redact(f"It says {key} and fails") == f"It says {KEY} and fails"


@pytest.mark.parametrize(
    "text",
    [
        "Order 4111111111111112 has not come",  # the check digit is wrong
        "DE88 3704 0044 0532 0130 00",
        "Parcel 00340434161094021501, ISBN 978-3-16-148410-0",
        "Call +49 151 1234567-0 or 0049 151 1234567, or +4915112345678",
        "302-1234567-123456, 2024-05-12 10:30, 1001, 1002, 1003, 1004, 1005",
        "49,99 39,50 4,20 51,00 3,99 44,10 and 5,00",
        "sk-8 trainers, AKIA, a bearer of news, eyJ, risk-averse-and-careful-people",
        "550e8400-e29b-41d4-a716-446655440000",
        "\u0664\u0661\u0661\u0661",
    ],
)
def test_what_is_none_of_them_stays(text: str) -> None:
    assert redact(text) == text


def test_what_is_around_them_in_other_scripts_hides_nothing() -> None:
    assert redact(f"\u6211{IBANS[0]}\u7684{CARDS[0]}\u662f") == f"\u6211{IBAN}\u7684{CARD}\u662f"


def test_digits_of_other_scripts_count_too() -> None:
    wide = "4111111111111111".translate({48 + digit: 0xFF10 + digit for digit in range(10)})
    assert redact(wide) == CARD


def test_a_telephone_number_is_none_even_where_its_check_digit_fits() -> None:
    assert redact("4915112345678") == CARD
    assert redact("+4915112345678") == "+4915112345678"
    assert redact("+4111 1111 1111 1111") == f"+{CARD}"


@pytest.mark.parametrize(
    "worst", ["4 " * 2000, "4" * 4000, "4.- " * 1000, "DE12" * 1000, "D E 1 2 " * 500, "sk-" * 1300]
)
def test_a_message_made_to_take_long_does_not(worst: str) -> None:
    began = time.process_time()
    redact(worst)
    assert time.process_time() - began < 1


def test_the_setting_chooses() -> None:
    assert choose_redaction("off")(CARDS[0]) == CARDS[0]
    assert choose_redaction("on")(CARDS[0]) == CARD


def test_neither_the_model_nor_the_database_sees_them(serve: Serve, tmp_path: Path) -> None:
    served = serve(redact="on")
    visitor, said = served.visitor(), f"Was {CARDS[0]} charged?"
    served.provider.script("No, 4111111111111111 was not.")
    page = {"url": f"https://shop.example/pay?number={CARDS[1]}", "title": f"Pay {IBANS[0]}"}
    body = {"message": said, "sessionId": visitor.session, "requestId": "r1", "page": page}
    reply = Connection(served.port).request("POST", "/api/ai/chat", body=body)
    message_id = reply.until_end()[0].data["messageId"]
    told = served.provider.calls[0].prompt.messages
    assert told[-1].content == f"Was {CARD} charged?"
    assert CARD in told[0].content
    assert IBAN in told[0].content
    rating = {"messageId": message_id, "rating": "up", "comment": KEYS[0]}
    rated = Connection(served.port).request("POST", "/api/ai/feedback", body=rating, session=visitor.session)
    assert rated.status == 204
    again = visitor.ask(said, "r1").until_end()  # the same question is the same answer
    assert again[-1].data["messageId"] == message_id
    assert len(served.provider.calls) == 1
    asked, answered = visitor.conversation()["messages"]
    assert (asked["content"], answered["feedback"]["comment"]) == (f"Was {CARD} charged?", KEY)
    assert answered["content"] == "No, 4111111111111111 was not."
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("chat.db*"))
    assert not [secret for secret in (CARDS[1], IBANS[0], KEYS[0], said) if secret.encode() in kept]


def test_without_the_setting_everything_is_kept_as_it_was_said(serve: Serve) -> None:
    served = serve()
    visitor = served.visitor()
    served.provider.script("hi")
    visitor.ask(CARDS[0]).until_end()
    assert visitor.conversation()["messages"][0]["content"] == CARDS[0]
