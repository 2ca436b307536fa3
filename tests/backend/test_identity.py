"""What a site's server says about its visitors: whom it names, and what is believed."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from identities import (
    ALGORITHMS,
    MUTATIONS,
    OTHER_SECRET,
    SECRET,
    bit_flipped,
    by_hand,
    claims_of,
    key_table,
    private_pem,
    token,
)  # fmt: skip
from jwt import algorithms

from chatbubble import identity_token
from chatbubble.config import Settings
from chatbubble.errors import BadRequest, ConfigError, IdentityOff, IdentityRefused, SessionExpired
from chatbubble.identity import MAX_SUBJECT_CHARS, Identity, parse_identification
from chatbubble.signed_sessions import SESSION_S, SessionSigner
from chatbubble.visitors import Visitors

MUTANTS = 10_000


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """One that knows a key of every kind."""
    return knowing(tmp_path_factory.mktemp("keys"), key_table())


def knowing(folder: Path, table: Any, **settings: str) -> Identity:
    """One whose table of keys is this."""
    path = folder / "keys.json"
    path.write_text(table if isinstance(table, str) else json.dumps(table), "utf-8")
    given = {"identity_secret": SECRET, "identity_keys": str(path), **settings}
    return Identity.create(Settings.read({f"CHATBUBBLE_{name.upper()}": value for name, value in given.items()}, {}))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_token_of_every_key_names_its_person(identity: Identity, name: str) -> None:
    assert identity.person_of(token(name)) == identity.person_of(token())
    assert identity.person_of(token(name, "customer-2")) != identity.person_of(token())


def test_ten_thousand_mutated_tokens_name_nobody(identity: Identity) -> None:
    chance = random.Random(20260105)
    accepted = []
    for number in range(MUTANTS):
        mutation = MUTATIONS[number % len(MUTATIONS)]
        mutant = mutation(chance)
        try:
            identity.identify(mutant)
        except IdentityRefused:
            continue
        accepted.append((mutation.__name__, mutant))
    assert accepted == []


def test_those_ten_thousand_are_of_every_kind_and_next_to_tokens_that_hold(identity: Identity) -> None:
    assert identity.person_of(by_hand({"alg": "HS256"}, claims_of())) == identity.person_of(token())
    chance = random.Random(1)
    assert all(mutation(chance) for mutation in MUTATIONS[:-3])
    assert len({bit_flipped(chance) for _ in range(200)}) > 190


@pytest.mark.parametrize(("begins", "ends"), [(0, 3600), (0, 1), (-3600, -50), (55, 300), (-3000, 600)])
def test_a_clock_may_be_a_minute_off(identity: Identity, begins: int, ends: int) -> None:
    now = int(time.time())
    assert identity.person_of(token(iat=now + begins, exp=now + ends))


def test_what_is_beside_the_claims_changes_nothing(identity: Identity) -> None:
    more = token(
        aud=["shop", "chatbubble"], nbf=int(time.time()) - 5, iss="https://shop.example", email="n@shop.example"
    )
    assert identity.person_of(more) == identity.person_of(token())


def test_a_name_may_have_any_letters_up_to_its_length(identity: Identity) -> None:
    subjects = ["x" * MAX_SUBJECT_CHARS, "\u00e9", "e\u0301", "\0", "a", "A", "a ", "1", '","', "\U0001f600"]
    assert len({identity.person_of(token("", subject)) for subject in subjects}) == len(subjects)


def test_the_log_says_why_and_not_what(identity: Identity) -> None:
    with pytest.raises(IdentityRefused) as refusal:
        identity.identify(token(subject="secret-customer", aud="shop"))
    assert "Audience" in refusal.value.detail
    assert "secret-customer" not in refusal.value.detail
    assert refusal.value.to_body()["error"]["message"] == "It could not be confirmed who you are."


def test_an_audience_of_ones_own(tmp_path: Path) -> None:
    ours = knowing(tmp_path, {}, identity_audience="help-desk")
    assert ours.person_of(token(aud="help-desk"))
    with pytest.raises(IdentityRefused):
        ours.person_of(token())


def test_two_issuers_have_people_of_their_own(tmp_path: Path) -> None:
    table = {name: {**entry, "issuer": "https://sister.example"} for name, entry in key_table().items()}
    ours = knowing(tmp_path, table)
    sister = ours.person_of(token("ed", iss="https://sister.example"))
    assert sister == ours.person_of(token("rsa", iss="https://sister.example"))
    assert sister != ours.person_of(token())
    for iss in (..., "https://shop.example"):
        with pytest.raises(IdentityRefused):
            ours.person_of(token("ed", iss=iss))


def test_without_a_secret_nobody_is_named_and_the_log_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    off = Identity.create(Settings())
    for _ in range(3):
        with pytest.raises(IdentityOff):
            off.identify(token())
    (line,) = [record.message for record in caplog.records]
    assert "set CHATBUBBLE_IDENTITY_SECRET" in line


RSA_1024 = """-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCqGKukO1De7zhZj6+H0qtjTkVxwTCpvKe4eCZ0FPqri0cb2JZfXJ/DgYSF6vUp
wmJG8wVQZKjeGcjDOL5UlsuusFncCzWBQ7RKNUSesmQRMSGkVb1/3j+skZ6UtW+5u09lHNsj6tQ51s1SPrCBkedbNf0Tp0GbMJDy
R4e9T04ZZwIDAQAB
-----END PUBLIC KEY-----"""
WRONG_TABLES: list[tuple[Any, str]] = [
    ("", "cannot be read"),
    ("{", "cannot be read"),
    ("[]", "a JSON file like"),
    ({"": {"alg": "HS256", "key": SECRET}}, "a JSON file like"),
    ({"a": SECRET}, "the key 'a' should be an object of texts"),
    ({"a": {"alg": "HS256", "key": 7}}, "should be an object of texts"),
    ({"a": {"alg": "HS256"}}, "should have an alg, one of HS256, RS256, EdDSA"),
    ({"a": {"alg": "none", "key": ""}}, "should have an alg, one of"),
    ({"a": {"alg": "HS512", "key": SECRET * 2}}, "should have an alg, one of"),
    ({"a": {"alg": "HS256", "key": SECRET, "use": "sig"}}, "should have an alg, one of"),
    ({"a": {"alg": "HS256", "key": "short"}}, "at least 32 bytes"),
    ({"a": {"alg": "RS256", "key": SECRET}}, "is no key for RS256, in PEM form"),
    ({"a": {"alg": "EdDSA", "key": ""}}, "is no key for EdDSA, in PEM form"),
    ({"a": {"alg": "EdDSA", "key": RSA_1024}}, "is no key for EdDSA, in PEM form"),
    ({"a": {"alg": "RS256", "key": RSA_1024}}, "is too weak"),
    ({"a": {"alg": "HS256", "key": RSA_1024}}, "is no key for HS256"),
]


@pytest.mark.parametrize(("table", "words"), WRONG_TABLES)
def test_a_key_that_cannot_be_used_stops_the_start(tmp_path: Path, table: Any, words: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        knowing(tmp_path, table)
    message = refusal.value.message
    assert message.startswith("CHATBUBBLE_IDENTITY_KEYS")
    assert words in message
    assert SECRET not in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["rsa", "ed"])
def test_a_private_key_has_no_place_here(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="should be the public key"):
        knowing(tmp_path, {"a": {"alg": ALGORITHMS[name], "key": private_pem(name)}})


def test_a_missing_package_is_told_with_its_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only = {"HS256": algorithms.HMACAlgorithm(algorithms.HMACAlgorithm.SHA256)}
    monkeypatch.setattr(algorithms, "get_default_algorithms", lambda: only)
    with pytest.raises(ConfigError, match=r"RS256, which needs a package: pip install 'chatbubble\[identity\]'"):
        knowing(tmp_path, key_table())
    assert knowing(tmp_path, {}).person_of(token())


def test_keys_without_the_secret_stop_the_start() -> None:
    with pytest.raises(ConfigError, match="needs CHATBUBBLE_IDENTITY_SECRET beside it"):
        Identity.create(Settings(identity_keys="keys.json"))


# --- the sessions that are given


SIGNER = SessionSigner(SECRET)
PERSON = "0123456789abcdef" * 3


def test_a_signed_session_has_the_shape_of_any_and_lasts_a_day() -> None:
    session = SessionSigner(SECRET, lambda: 1_800_000_000.5).sign(PERSON)
    assert session.session_id.startswith(f"signed_1800086400500_{PERSON}_")
    assert len(session.session_id) == 113
    assert session.expires_at == 1_800_000_000_500 + SESSION_S * 1000


def test_a_person_is_one_visitor_in_all_their_sessions() -> None:
    early, late = SIGNER.sign(PERSON), SessionSigner(SECRET, lambda: time.time() + 60).sign(PERSON)
    visitors = Visitors(SIGNER)
    assert early != late
    assert visitors.of_session(early.session_id) == visitors.of_authorization(f"Bearer {late.session_id}")
    assert visitors.of_session(early.session_id) != visitors.of_session(SIGNER.sign(PERSON[::-1]).session_id)


def test_a_session_ends_when_it_says() -> None:
    now = 1_800_000_000.0
    session_id = SessionSigner(SECRET, lambda: now).sign(PERSON).session_id
    assert SessionSigner(SECRET, lambda: now + SESSION_S - 1).person_of(session_id) == PERSON
    with pytest.raises(SessionExpired):
        SessionSigner(SECRET, lambda: now + SESSION_S).person_of(session_id)


def mutated(chance: random.Random, good: str) -> str:
    """Another text in the shape of a session id that seems signed, or nearly."""
    _, ends, person, _ = good.split("_", 3)
    proof = good[-43:]
    at = chance.randrange(len(good))
    other = chance.choice("0123456789abcdefghijABCDEFGHIJ-_")
    forged = SessionSigner(OTHER_SECRET).sign(person).session_id
    flipped = chr(ord(good[at]) ^ 1 << chance.randrange(7))
    forms = [good[:at] + other + good[at + 1 :], good[:at] + flipped + good[at + 1 :]]
    forms += [f"signed_{int(ends) + chance.randrange(1, 10**12)}_{person}_{proof}", forged, forged[:70] + proof]
    forms += [f"signed_{ends}_{chance.randbytes(24).hex()}_{proof}", f"signed_{ends}_{person.upper()}_{proof}"]
    forms += [good[:at], good[:-1], good + other, good.upper(), good + good, good[:at] + good[at + 1 :]]
    forms += [
        f"signed_{other * 40}",
        f"signed_{ends}_{person}_{'A' * 43}",
        f"signed_{ends}_{person}_",
        good + "=",
        f" {good}",
        f"{good}\n",
    ]
    return chance.choice(forms)


def test_ten_thousand_mutated_session_ids_are_nobody(identity: Identity) -> None:
    chance = random.Random(20260106)
    visitors, unsigned = Visitors(SIGNER), Visitors()
    accepted = []
    for _ in range(MUTANTS):
        good = SIGNER.sign(chance.randbytes(24).hex()).session_id
        mutant = mutated(chance, good)
        try:
            known = mutant != good and visitors.of_session(mutant)
        except (SessionExpired, BadRequest):
            continue
        # What does not begin as signed ones do is somebody's own, as it always was.
        if known and (mutant.startswith("signed_") or known != unsigned.of_session(mutant)):
            accepted.append(mutant)
    assert accepted == []


def test_a_token_is_no_session_and_a_session_no_token(identity: Identity) -> None:
    session_id = SIGNER.sign(PERSON).session_id
    with pytest.raises(IdentityRefused):
        identity.identify(session_id)
    with pytest.raises((SessionExpired, BadRequest)):
        Visitors(SIGNER).of_session(f"signed_{token()}"[:128])


# --- the request, and the helper for sites in Flask


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"", b'{"token": 7}', b'{"token": null}', b'{"token": "", "token": ""}']
)
def test_a_body_without_a_token_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        parse_identification(body)


def test_a_token_of_the_helper_is_believed(identity: Identity) -> None:
    assert identity.person_of(identity_token("customer-1", secret=SECRET)) == identity.person_of(token())
    with pytest.raises(IdentityRefused):
        identity.person_of(identity_token("customer-1", secret=SECRET, audience="shop"))


def test_the_helper_reads_the_settings_of_the_app(tmp_path: Path) -> None:
    app = Flask("shop")
    app.config.update(CHATBUBBLE_IDENTITY_SECRET=SECRET, CHATBUBBLE_IDENTITY_AUDIENCE="desk")
    with app.app_context():
        made = identity_token("customer-1", life_s=3600)
    assert knowing(tmp_path, {}, identity_audience="desk").person_of(made)


def test_the_helper_reads_the_environment(identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBUBBLE_IDENTITY_SECRET", SECRET)
    assert identity.person_of(identity_token("customer-1"))


def test_the_helper_makes_no_token_that_would_be_refused() -> None:
    for subject, life_s in [("a", 0), ("a", -1), ("a", 3601), ("", 300), ("x" * 256, 300)]:
        with pytest.raises(ValueError, match="should be 1 to"):
            identity_token(subject, secret=SECRET, life_s=life_s)
    for secret in ("", "short"):
        with pytest.raises(ConfigError, match="CHATBUBBLE_IDENTITY_SECRET"):
            identity_token("customer-1", secret=secret)
