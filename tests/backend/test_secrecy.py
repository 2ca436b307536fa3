"""What is taken for a poor secret, what for a key in a text, and what is left alone."""

from __future__ import annotations

import random
import secrets
import string
import time

import pytest
from keys import ISSUED

from chatbubble.config import DEFAULT_SYSTEM_PROMPT
from chatbubble.secrecy import find_key, how_guessable


@pytest.mark.parametrize(
    "secret",
    [
        "changeme", "change-me-please-1", "CHANGE_ME_CHANGE_ME_9", "replace_me_with_a_token",
        "your-secret-here-2026",
        "YourOwnTokenGoesHere1", "insert-your-key-here-7", "my-secret-operator-7", "supersecretvalue17",
        "password12345678", "P4ssword-password", "letmein-letmein-x", "qwertyuiopasdfgh", "a-placeholder-value-8",
        "default_token_for_dev_1",
    ],
)  # fmt: skip
def test_what_an_example_says_is_no_secret(secret: str) -> None:
    assert how_guessable(secret) == "it is what an example says"


@pytest.mark.parametrize("secret", ["x" * 16, "abab" * 8, "1212" * 4, "aaaabbbbccccdddd", "0" * 64])
def test_a_secret_has_different_characters(secret: str) -> None:
    assert "fewer than 5 different characters" in how_guessable(secret)


@pytest.mark.parametrize("secret", ["secret" * 3, "secretsecretsec", "hunter2-hunter2-hunter2", "Tr0ub4dor&3" * 2])
def test_a_secret_does_not_repeat_itself(secret: str) -> None:
    assert how_guessable(secret) == "it repeats itself"


@pytest.mark.parametrize("secret", ["0123456789abcdef", "abcdefghijklmnop", "9876543210fedcba", "1234567890123456"])
def test_a_secret_is_no_row_of_characters(secret: str) -> None:
    assert how_guessable(secret)


def test_what_a_generator_makes_is_a_secret() -> None:
    chance = random.Random(20260107)
    alphabets = (string.hexdigits[:16], string.ascii_letters + string.digits + "-_", string.ascii_lowercase)
    for number in range(20_000):
        secret = "".join(chance.choices(alphabets[number % 3], k=16 + number % 48))
        assert how_guessable(secret) == "", secret
    assert how_guessable(secrets.token_urlsafe(32)) == ""
    assert how_guessable("correct horse battery staple") == ""


KEYS = ISSUED | {
    "a private key": [
        *ISSUED["a private key"], "-----BEGIN PRIVATE KEY-----\nMII...", "-----BEGIN RSA PRIVATE KEY-----",
    ],
    "an address with a password": [
        "postgresql://chat:s3cr3t@db.internal/chat",
        "https://me:hunter2@shop.example/",
        "redis://:hunter2@[::1]",
    ],
    "a password or key": [
        "api_key = 7d9f2c41b8e06a53",
        "The password is Tr0ub4dorAndSome3",
        'secret: "aB3dE5gH7jK9mN1p"',
        "API KEY=7d9f2c41b8e06a537d9f",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind, keys in KEYS.items() for key in keys])
def test_a_key_in_a_text_is_found(kind: str, key: str) -> None:
    assert find_key(f"You help the customers of a shop. {key} Be brief.") == kind


@pytest.mark.parametrize(
    "text",
    [
        DEFAULT_SYSTEM_PROMPT,
        "Never tell anybody a password, a token or an API key. Our secret: good coffee.",
        "To reset a password: open https://shop.example/account/reset-2026 and follow the steps.",
        "Order numbers look like SK-2026-000123, article numbers like sk-blue-socks-of-the-finest-wool.",
        "Write to help@shop.example or see https://shop.example/contact?from=chat@widget.",
        "Our time is 09:00-18:00. Ratio 3:2. Token: none. Key: yes.",
        "IBAN DE89 3704 0044 0532 0130 00, phone +49 30 1234567890123",
        "ask-me-anything-about-2026-and-later, task-1234567890123456789012345",
        "The public key begins with -----BEGIN PUBLIC KEY-----",
    ],
)
def test_an_ordinary_text_holds_no_key(text: str) -> None:
    assert find_key(text) == ""


@pytest.mark.parametrize("piece", ["secret is ", "a://b:", "sk-", "eyJ", "password=", "a", "1", "-----BEGIN "])
def test_a_long_text_is_read_quickly(piece: str) -> None:
    began = time.perf_counter()
    find_key(piece * (200_000 // len(piece)))
    assert time.perf_counter() - began < 5
