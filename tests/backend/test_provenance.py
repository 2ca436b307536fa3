"""What was said can be shown later, with how it came about: model, settings, the model's server's own id, times."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest
from asking import MODEL, ask, provider_at
from model_server import ModelServer
from model_steps import DONE, Step, completion, delta, failure, finish, head, json_reply, stall, stream
from serving import Serve, Served
from turning import Turns

from chatbubble.config import DEFAULT_SYSTEM_PROMPT
from chatbubble.providers.openai import OpenAIProvider
from chatbubble.records import KeptMessage, ModelCall, TurnState
from chatbubble.stores.archive import Archive

ANSWER = [delta("Hello"), finish(), DONE]
SENT = {"model": MODEL, "temperature": 0.7, "max_tokens": 2048}


def kept_of(served: Served) -> list[KeptMessage]:
    """Every message that is kept."""
    store: Any = served.mounted.store
    return [message for kept in Archive(store, 0).read() for message in kept.messages]


def test_an_answer_tells_its_model_its_settings_its_id_and_its_times(serve: Serve, model_server: ModelServer) -> None:
    before = int(time.time() * 1000)
    provider = provider_at(model_server.base_url, temperature=0.2, max_tokens=99)
    served = serve(provider=provider, system_prompt="Be brief.", context_tokens=1234)
    named = head(200, {"Content-Type": "text/event-stream", "X-Request-ID": "req_9", "Transfer-Encoding": "chunked"})
    model_server.script(MODEL, [named, *stream(*ANSWER)[1:]])
    served.visitor().ask("hi").until_end()
    provider.close()
    asked, answered = kept_of(served)
    made = answered.provenance
    assert asked.provenance is None
    assert made is not None
    assert (made.provider, answered.model) == ("openai", MODEL)
    assert (made.call.model, made.call.request_id) == ("stand-in", "req_9")
    assert made.call.settings == {
        "model": MODEL,
        "temperature": 0.2,
        "max_tokens": 99,
        "context_tokens": 1234,
        "system_prompt_sha256": hashlib.sha256(b"Be brief.").hexdigest(),
    }
    assert before <= made.asked_at <= answered.message.created_at <= time.time() * 1000


def test_an_answer_that_was_stopped_tells_it_too(
    serve: Serve, model_server: ModelServer, openai_provider: OpenAIProvider
) -> None:
    served = serve(provider=openai_provider)
    model_server.script(MODEL, [*stream(delta("So "))[:-1], stall()])
    visitor = served.visitor()
    reply = visitor.ask("hi")
    reply.until("token")
    visitor.abort(reply.seen[0].data["streamId"])
    made = kept_of(served)[1].provenance
    assert made is not None
    assert made.call.request_id == "chatcmpl-stand-in"
    digest = hashlib.sha256(DEFAULT_SYSTEM_PROMPT.encode()).hexdigest()
    assert made.call.settings == {**SENT, "context_tokens": 8000, "system_prompt_sha256": digest}


NAMELESS = b'data: {"id": 7, "model": null, "choices": [{"delta": {"content": "Hello"}}]}\n\n'
WHOLE = completion("Hello")


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param(stream(*ANSWER), ["", "chatcmpl-stand-in"], id="streamed"),
        pytest.param(json_reply(200, WHOLE), ["", "chatcmpl-stand-in"], id="not streamed"),
        pytest.param(json_reply(200, WHOLE, X_Request_ID="req_1"), ["req_1", "req_1"], id="by its header"),
        pytest.param(stream(NAMELESS, finish()), ["", ""], id="nonsense"),
    ],
)
def test_the_models_server_names_the_answer(
    model_server: ModelServer, openai_provider: OpenAIProvider, steps: list[Step], expected: list[str]
) -> None:
    model_server.script(MODEL, steps)
    outcome = ask(openai_provider)
    assert outcome.text == "Hello"
    assert [call.request_id for call in outcome.calls] == expected
    assert {call.settings["model"] for call in outcome.calls} == {MODEL}


def test_settings_are_those_that_were_sent_in_the_end(
    model_server: ModelServer, openai_provider: OpenAIProvider
) -> None:
    model_server.script(MODEL, failure(400, None, "use max_completion_tokens"))
    model_server.script(MODEL, stream(*ANSWER))
    sent = {"model": MODEL, "temperature": 0.7, "max_completion_tokens": 2048}
    assert [call.settings for call in ask(openai_provider).calls] == [sent, sent]


def test_a_provider_of_ones_own_may_tell_it_and_need_not(turns: Turns) -> None:
    call = ModelCall("own-1", "parrot-2", {"loud": True})
    told = turns.run(ModelCall("own-0"), "Hel", call, "lo")
    assert told.state is TurnState.DONE
    assert [event.type for event in told.events].count("token") == 2
