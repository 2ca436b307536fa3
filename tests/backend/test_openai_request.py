"""What is asked of a model's server, and where settings come from."""

from __future__ import annotations

from typing import Any

import pytest
from asking import KEY, MODEL, ask, prompt, provider_at
from model_server import ModelServer
from model_steps import DONE, delta, finish, json_reply, stream

from chatbubble.errors import ConfigError
from chatbubble.providers.openai import OpenAIProvider
from chatbubble.records import PromptMessage


def test_the_request_is_what_the_settings_say(model_server: ModelServer, openai_provider: OpenAIProvider) -> None:
    list(openai_provider.stream(prompt("Hi", PromptMessage("system", "Be kind."))))
    request = model_server.requests[0]
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body == {
        "model": MODEL,
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}],
        "stream": True,
        "temperature": 0.7,
        "max_tokens": 2048,
        "stream_options": {"include_usage": True},
    }


def test_half_an_emoji_in_a_question_can_be_sent(model_server: ModelServer, openai_provider: OpenAIProvider) -> None:
    ask(openai_provider, "a\ud83db")
    assert model_server.requests[0].question == "a\ufffdb"


@pytest.mark.parametrize(
    ("refusal", "dropped", "added"),
    [
        ({"message": "Unrecognized request argument supplied: stream_options"}, {"stream_options"}, {}),
        (
            {"message": "Use 'max_completion_tokens' instead.", "param": "max_tokens", "code": "unsupported_parameter"},
            {"max_tokens"},
            {"max_completion_tokens": 2048},
        ),
        ({"message": "Only 1 is", "param": "temperature", "code": "unsupported_value"}, {"temperature"}, {}),
    ],
)
def test_an_option_the_server_does_not_know_is_left_out_for_good(
    model_server: ModelServer, openai_provider: OpenAIProvider, refusal: Any, dropped: set[str], added: dict[str, Any]
) -> None:
    model_server.script(MODEL, json_reply(400, {"error": refusal}))
    model_server.script(MODEL, stream(delta("Hello"), finish(), DONE))
    assert [ask(openai_provider).text for _ in range(2)] == ["Hello", "Hello"]
    first, *later = (request.body for request in model_server.requests)
    expected = {name: value for name, value in first.items() if name not in dropped} | added
    assert later == [expected, expected]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"api_key": ""}, "OPENAI_API_KEY"),
        ({"api_key": "sk-\u201cquoted\u201d"}, "OPENAI_API_KEY"),
        ({"api_key": "sk-a\nb"}, "OPENAI_API_KEY"),
        ({"base_url": "localhost:8000/v1"}, "OPENAI_BASE_URL"),
        ({"base_url": "ftp://host/v1"}, "OPENAI_BASE_URL"),
        ({"base_url": "http://[::1"}, "OPENAI_BASE_URL"),
    ],
)
def test_a_wrong_setting_is_named_at_the_start(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, str], named: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigError, match=named):
        provider_at(**{"url": options.pop("base_url", "http://127.0.0.1:9/v1"), **options})


def test_key_and_address_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, model_server: ModelServer) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    monkeypatch.setenv("OPENAI_BASE_URL", model_server.base_url)
    provider = OpenAIProvider(model=MODEL)
    assert ask(provider).text == "You asked: Hi"
    assert model_server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    provider.close()


def test_behind_a_proxy_requests_go_through_it(monkeypatch: pytest.MonkeyPatch, model_server: ModelServer) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{model_server.port}")
    provider = provider_at("http://model.example/v1")
    assert ask(provider).text == "You asked: Hi"
    assert model_server.requests[0].path == "http://model.example/v1/chat/completions"
    provider.close()
