"""Every setting: where it comes from, what it takes, and how a wrong one is told."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest

from chatbubble.config import DEFAULT_SYSTEM_PROMPT, PREFIX, Settings, describe
from chatbubble.errors import ConfigError

NAMES = [PREFIX + item.name.upper() for item in fields(Settings)]
NUMBERS = {
    "TEMPERATURE": (0, 2), "CONNECT_TIMEOUT_S": (0.1, 60), "FIRST_TOKEN_TIMEOUT_S": (0.1, 600),
    "TOKEN_TIMEOUT_S": (0.1, 600), "TURN_TIMEOUT_S": (1, 3600), "HEARTBEAT_S": (0.05, 300),
    "STREAM_TTL_S": (0.1, 86_400), "SEND_TIMEOUT_S": (0.1, 600), "DRAIN_S": (0, 600),
}  # fmt: skip
WHOLE_NUMBERS = {
    "MAX_TOKENS": (1, 1_000_000), "CONTEXT_TOKENS": (500, 2_000_000), "LOG_BYTES": (1_048_576, 2**40),
    "MAX_STREAMS": (1, 1_000_000), "DATABASE_CONNECTIONS": (1, 1000), "KEEP_DAYS": (0, 36_500),
    "ADDRESS_STREAMS": (0, 1_000_000), "RUNNING_TURNS": (0, 1_000_000), "TRUSTED_PROXIES": (0, 16),
}  # fmt: skip
TEXTS = ("SYSTEM_PROMPT", "TITLE", "GREETING", "IDENTITY_KEYS")
FILLED_TEXTS = (
    "DATABASE_URL", "MODEL", "RATE_LIMIT", "ADDRESS_RATE_LIMIT", "NEW_VISITORS_LIMIT", "IDENTITY_AUDIENCE",
    "BUDGET_MESSAGE",
)  # fmt: skip


def read(**settings: Any) -> Settings:
    """Read settings given without their prefix, as a Flask config."""
    return Settings.read({PREFIX + name: value for name, value in settings.items()}, {})


def value_of(name: str, given: Any) -> Any:
    """What becomes of one setting."""
    return getattr(read(**{name: given}), name.lower())


def assert_refused(name: str, given: Any) -> str:
    """The setting is refused in one line that names it and what was expected; returns the line."""
    with pytest.raises(ConfigError) as refusal:
        read(**{name: given})
    message = refusal.value.message
    expects = next(setting.expects for setting in describe() if setting.name == PREFIX + name)
    assert message.startswith(f"{PREFIX}{name} should be {expects}")
    assert "\n" not in message
    assert len(message) < 300
    return message


def test_every_kind_of_setting_is_tested_here() -> None:
    others = {"URL_PREFIX", "ALLOWED_ORIGINS", "PROVIDER", "ACCENT", "OPERATOR_TOKEN", "SUGGESTIONS"}
    others |= {"REDIS_URL", "REDIS_PREFIX", "LOG_FORMAT", "LOG_LEVEL", "IDENTITY_SECRET", "REDACT"}
    others |= {"DAILY_BUDGET", "PRICES", "CONTACT_URL"}
    assert {PREFIX + name for name in (*NUMBERS, *WHOLE_NUMBERS, *TEXTS, *FILLED_TEXTS, *others)} == set(NAMES)


def test_a_redis_is_named_by_its_url() -> None:
    for url in ("", "redis://127.0.0.1:6379/0", "rediss://user:pass@redis.example", "unix:///run/redis.sock"):
        assert value_of("REDIS_URL", f" {url} ") == url
    for given in ("127.0.0.1:6379", "http://redis.example", "redis://a b", "redis://", 6379, None):
        assert "a b" not in assert_refused("REDIS_URL", given)


def test_the_names_of_redis_keys_begin_plainly() -> None:
    assert value_of("REDIS_PREFIX", " shop:chat: ") == "shop:chat:"
    for given in ("", "a b", "{a}", "x" * 65, 5):
        assert_refused("REDIS_PREFIX", given)


def test_without_any_setting_all_have_their_defaults() -> None:
    settings = Settings.read({}, {"PATH": "/bin", "OPENAI_API_KEY": "sk-1"})
    assert settings == Settings()
    assert (settings.url_prefix, settings.temperature, settings.max_tokens) == ("/api/ai", 0.7, 2048)
    assert (settings.heartbeat_s, settings.stream_ttl_s, settings.rate_limit) == (15, 600, "10/minute;100/day")
    assert (settings.database_url, settings.provider) == ("sqlite:///chatbubble.db", "auto")


def test_the_defaults_would_be_accepted_as_given() -> None:
    defaults = {PREFIX + item.name.upper(): item.default for item in fields(Settings)}
    assert Settings.read(defaults, {}) == Settings()


def test_the_flask_config_beats_the_environment() -> None:
    environ = {"CHATBUBBLE_MODEL": "from-environment", "CHATBUBBLE_TITLE": "Shop"}
    settings = Settings.read({"CHATBUBBLE_MODEL": "from-config", "DEBUG": True}, environ)
    assert (settings.model, settings.title) == ("from-config", "Shop")


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_taken_between_its_bounds(name: str) -> None:
    low, high = NUMBERS[name]
    for given in (low, high, str(low), f" {high} ", f"{high}.0", float(low)):
        assert value_of(name, given) == float(given)
        assert isinstance(value_of(name, given), float)


@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_not_a_number_between_the_bounds_is_refused(name: str) -> None:
    low, high = NUMBERS[name]
    others: list[Any] = [low - 0.01, high + 0.01, float("nan"), float("inf"), 10**400, True, None, [1], {}, b"1"]
    for given in others:
        assert_refused(name, given)
    for text in ("", " ", "hot", "1,5", "1_0", "1e1", "0x1", "NaN", "inf", "--1", "١", ".", "1.2.3", "15s", "9" * 400):
        assert_refused(name, text)


@pytest.mark.parametrize("name", WHOLE_NUMBERS)
def test_a_whole_number_is_taken_between_its_bounds(name: str) -> None:
    low, high = WHOLE_NUMBERS[name]
    for given in (low, high, str(low), f" {high} "):
        assert value_of(name, given) == int(given)


@pytest.mark.parametrize("name", WHOLE_NUMBERS)
def test_what_is_not_a_whole_number_between_the_bounds_is_refused(name: str) -> None:
    low, high = WHOLE_NUMBERS[name]
    others: list[Any] = [low - 1, high + 1, -1 - low, float(high), 10**400, True, None, [low], b"5"]
    for given in others:
        assert_refused(name, given)
    for text in ("", "many", "1.0", f"{low}.5", "1e6", "1_000", "+5", "٣", "0x10", "9" * 5000):
        assert_refused(name, text)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_trimmed_and_may_be_empty(name: str) -> None:
    assert value_of(name, "  Grüezi 😀\n") == "Grüezi 😀"
    assert value_of(name, "") == ""
    for given in (None, 5, True, ["x"], b"x"):
        assert_refused(name, given)


@pytest.mark.parametrize("name", FILLED_TEXTS)
def test_a_text_that_is_needed_may_not_be_empty(name: str) -> None:
    assert value_of(name, " x ") == "x"
    for given in ("", "  ", None, 5, b"x"):
        assert_refused(name, given)


@pytest.mark.parametrize("given", ["/api/ai", "/api/ai/", "/x", " /a/b-c/d.e~f_g ", "/0"])
def test_a_prefix_is_a_path(given: str) -> None:
    assert value_of("URL_PREFIX", given) == given.strip().rstrip("/")


@pytest.mark.parametrize("given", ["", "/", "api/ai", "//x", "/a//b", "/a b", "/<x>", "/a?b", "/ä", "https://x.example/a",
                                   "/a\n/b", None, 5])  # fmt: skip
def test_what_is_not_a_path_is_refused(given: Any) -> None:
    assert_refused("URL_PREFIX", given)


@pytest.mark.parametrize(
    ("given", "read_as"),
    [
        ("", ()),
        ("https://a.example", ("https://a.example",)),
        ("https://a.example,https://b.example", ("https://a.example", "https://b.example")),
        (" https://a.example ,\n https://b.example, ", ("https://a.example", "https://b.example")),
        (["https://a.example"], ("https://a.example",)),
        (("https://a.example", ""), ("https://a.example",)),
        ({"*"}, ("*",)),
    ],
)
def test_origins_come_as_text_or_list(given: Any, read_as: tuple[str, ...]) -> None:
    assert value_of("ALLOWED_ORIGINS", given) == read_as


@pytest.mark.parametrize("given", [None, 5, True, {"a": 1}, [5], [None]])
def test_other_forms_of_origins_are_refused(given: Any) -> None:
    assert_refused("ALLOWED_ORIGINS", given)


def test_a_provider_is_one_of_three() -> None:
    assert [value_of("PROVIDER", given) for given in ("auto", " OpenAI ", "DEMO")] == ["auto", "openai", "demo"]
    for given in ("", "gpt", None, True):
        assert "one of auto, openai, demo" in assert_refused("PROVIDER", given)


def test_the_log_has_two_formats_and_four_levels() -> None:
    assert [value_of("LOG_FORMAT", given) for given in ("text", " JSON ")] == ["text", "json"]
    assert [value_of("LOG_LEVEL", given) for given in ("debug", "Info", "WARNING", "error")] == [
        "debug", "info", "warning", "error",
    ]  # fmt: skip
    assert "one of text, json" in assert_refused("LOG_FORMAT", "xml")
    assert "one of debug, info" in assert_refused("LOG_LEVEL", 10)


def test_an_accent_is_a_colour_of_six_digits_or_none() -> None:
    assert [value_of("ACCENT", given) for given in ("", " #2563eb ", "#ABCDEF")] == ["", "#2563eb", "#ABCDEF"]
    for given in ("red", "#fff", "2563eb", "#2563ebff", "#25 3eb", "#2563eb;x", None, 0x2563EB):
        assert_refused("ACCENT", given)


@pytest.mark.parametrize(
    ("given", "read_as"),
    [
        ("", ()),
        (" \n ", ()),
        ("Why?", ("Why?",)),
        ("Why? | How, then? |", ("Why?", "How, then?")),
        ("\n  Why?\n  How?\n\n", ("Why?", "How?")),
        (["Why? Or | how?"], ("Why? Or | how?",)),
        (("a", "b", "c", "x" * 120), ("a", "b", "c", "x" * 120)),
    ],
)
def test_suggestions_come_as_text_or_list(given: Any, read_as: tuple[str, ...]) -> None:
    assert value_of("SUGGESTIONS", given) == read_as


@pytest.mark.parametrize(
    "given", ["a|b|c|d|e", "a|a", "x" * 121, None, 5, True, {"a": 1}, [5], [None], [""], ["a", "a"], list("abcde")]
)
def test_a_suggestion_that_would_not_be_shown_is_refused(given: Any) -> None:
    assert_refused("SUGGESTIONS", given)


def test_suggestions_are_shown_as_they_would_be_written() -> None:
    given = "Why, then? | How?"
    assert read(SUGGESTIONS=given).shown()["CHATBUBBLE_SUGGESTIONS"] == given


def test_an_operator_token_is_long_and_fits_in_a_header() -> None:
    assert value_of("OPERATOR_TOKEN", " 7d9f2c41b8e06a53 ") == "7d9f2c41b8e06a53"
    assert value_of("OPERATOR_TOKEN", "") == ""
    for given in ("short", "x" * 15, "x" * 20 + " y", "x" * 20 + "\u00e9", None, 5, b"x" * 20):
        assert_refused("OPERATOR_TOKEN", given)


@pytest.mark.parametrize(
    ("name", "given"),
    [("OPERATOR_TOKEN", "hunter2"), ("DATABASE_URL", b"postgresql://u:hunter2@db"), ("DATABASE_URL", 5)],
)
def test_a_secret_is_not_part_of_its_refusal(name: str, given: Any) -> None:
    message = assert_refused(name, given)
    assert "hunter2" not in message
    assert ", but it is" not in message


def test_other_refusals_say_what_came_within_reason() -> None:
    assert assert_refused("MAX_TOKENS", "many").endswith(", but it is 'many'")
    assert len(assert_refused("MAX_TOKENS", "9" * 10_000)) < 200


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MODELL", "MODEL"),
        ("TEMPRATURE", "TEMPERATURE"),
        ("ALLOWED_ORIGIN", "ALLOWED_ORIGINS"),
        ("HEARTBEAT", "HEARTBEAT_S"),
        ("URL_PREFX", "URL_PREFIX"),
    ],
)
def test_an_unknown_name_is_refused_and_the_near_one_offered(name: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=f"CHATBUBBLE_{name} is not a setting.*did you mean CHATBUBBLE_{meant}\\?"):
        read(**{name: "x"})


def test_a_name_that_is_near_to_none_is_sent_to_the_list() -> None:
    with pytest.raises(ConfigError, match=r"CHATBUBBLE_ZZZZ is not a setting.*`chatbubble config` lists them all"):
        Settings.read({}, {"CHATBUBBLE_ZZZZ": "secret"})


def test_the_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(AttributeError):
        Settings().model = "other"  # type: ignore[misc]


def test_the_description_holds_every_setting_once_in_order() -> None:
    assert [setting.name for setting in describe()] == NAMES
    for setting in describe():
        assert setting.expects
        assert setting.meaning.endswith(".")


def test_defaults_are_described_as_they_would_be_written() -> None:
    defaults = {setting.name.removeprefix(PREFIX): setting.default for setting in describe()}
    assert (defaults["TEMPERATURE"], defaults["HEARTBEAT_S"], defaults["LOG_BYTES"]) == ("0.7", "15", "67108864")
    assert (defaults["SYSTEM_PROMPT"], defaults["ALLOWED_ORIGINS"]) == ("(a friendly one)", "")


def test_values_are_shown_without_secrets() -> None:
    secrets = {"DATABASE_URL": "sqlite:////srv/hunter2.db", "OPERATOR_TOKEN": "hunter2-8c1f04d7e2b9"}
    origins = "https://a.example,https://b.example"
    shown = read(**secrets, MODEL="m", TEMPERATURE="1.50", ALLOWED_ORIGINS=origins).shown()
    assert list(shown) == NAMES
    assert "hunter2" not in json.dumps(shown)
    assert (shown["CHATBUBBLE_DATABASE_URL"], shown["CHATBUBBLE_OPERATOR_TOKEN"]) == ("(set)", "(set)")
    assert (shown["CHATBUBBLE_MODEL"], shown["CHATBUBBLE_TEMPERATURE"]) == ("m", "1.5")
    assert shown["CHATBUBBLE_ALLOWED_ORIGINS"] == "https://a.example, https://b.example"


def test_defaults_are_shown_as_they_are() -> None:
    shown = Settings().shown()
    assert shown["CHATBUBBLE_DATABASE_URL"] == "sqlite:///chatbubble.db"
    assert shown["CHATBUBBLE_OPERATOR_TOKEN"] == ""
    assert shown["CHATBUBBLE_SYSTEM_PROMPT"] == "(a friendly one)"
    assert DEFAULT_SYSTEM_PROMPT not in shown.values()
