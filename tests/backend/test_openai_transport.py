"""The transport alone, and over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gevent
import httpx2
import pytest
from asking import MODEL, ask, ask_once, await_true, open_files, provider_at
from gevent import socket
from model_server import ModelServer
from model_steps import DONE, Step, chunk, delta, finish, head, json_reply, stall, stream

from chatbubble.errors import UpstreamTimeout, UpstreamUnavailable
from chatbubble.providers.transport import GeventTransport

CERTIFICATE = Path(__file__).parent.parent / "fixtures" / "localhost.pem"
ANSWER = stream(delta("Hello"), finish(), DONE)


@pytest.fixture
def tls_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A model server that speaks TLS with a certificate that is trusted here."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    server = ModelServer(certificate=CERTIFICATE)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client() -> Iterator[httpx2.Client]:
    """A client on our transport."""
    with httpx2.Client(transport=GeventTransport(), timeout=0.2) as client:
        yield client


def test_an_answer_over_tls(tls_server: ModelServer) -> None:
    tls_server.script(MODEL, ANSWER)
    provider = provider_at(tls_server.base_url)
    assert [ask(provider).text for _ in range(3)] == ["Hello"] * 3
    assert tls_server.connections == 1
    provider.close()


@pytest.mark.parametrize("steps", [[stall()], [head(), chunk(delta("Hel")), stall()]], ids=["headers", "tokens"])
def test_a_silence_over_tls(tls_server: ModelServer, steps: list[Step]) -> None:
    assert isinstance(ask_once(tls_server, steps, read_timeout_s=0.2).failure, UpstreamTimeout)


def test_a_kill_over_tls_closes_the_connection(tls_server: ModelServer) -> None:
    tls_server.script(MODEL, [head(), chunk(delta("Hel")), stall()])
    provider = provider_at(tls_server.base_url)
    turn = gevent.spawn(ask, provider)
    await_true(lambda: bool(tls_server.requests))
    turn.kill()
    tls_server.requests[0].wait_closed(0.1)
    provider.close()


def test_a_certificate_that_nobody_trusts_is_refused(tls_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    failure = ask_once(tls_server, ANSWER).failure
    assert isinstance(failure, UpstreamUnavailable)
    assert "certificate verify failed" in failure.detail
    assert tls_server.requests == []


def test_a_host_that_never_shakes_hands_times_out() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        provider = provider_at(f"https://127.0.0.1:{listener.getsockname()[1]}/v1", connect_timeout_s=0.1)
        assert isinstance(ask(provider).failure, UpstreamTimeout)
        provider.close()


def test_fifty_kills_while_shaking_hands_leave_nothing_behind() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        provider = provider_at(f"https://127.0.0.1:{listener.getsockname()[1]}/v1")
        files = open_files()
        turns = [gevent.spawn(ask, provider) for _ in range(50)]
        await_true(lambda: open_files() == files + 50)
        gevent.killall(turns)
        await_true(lambda: open_files() == files)
        provider.close()


def test_a_header_cannot_smuggle_another(client: httpx2.Client, model_server: ModelServer) -> None:
    with pytest.raises(httpx2.LocalProtocolError):
        client.get(model_server.base_url, headers={b"X-A": b"a\r\nX-B: b"})
    assert model_server.requests == []


def test_only_http_is_spoken(client: httpx2.Client) -> None:
    with pytest.raises(httpx2.UnsupportedProtocol):
        client.get("ftp://127.0.0.1/")


def test_a_server_that_takes_nothing_times_out(client: httpx2.Client) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(httpx2.WriteTimeout):
            client.post(f"http://127.0.0.1:{listener.getsockname()[1]}/", content=b"x" * 50_000_000)


def test_a_refusal_before_the_whole_request_was_read_is_heard(client: httpx2.Client) -> None:
    def refuse(listener: socket.socket) -> None:
        sock, _ = listener.accept()
        with sock:
            sock.recv(1000)
            sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        refusing = gevent.spawn(refuse, listener)
        response = client.post(f"http://127.0.0.1:{listener.getsockname()[1]}/", content=b"x" * 10_000_000)
        refusing.join()
    assert response.status_code == 413


def test_a_connection_that_closed_while_idle_is_replaced(client: httpx2.Client, model_server: ModelServer) -> None:
    model_server.script(MODEL, json_reply(200, {}))
    client.post(model_server.base_url, json={"model": MODEL})
    model_server.close_connections()
    await_true(lambda: model_server.open_connections == 0)
    assert client.post(model_server.base_url, json={"model": MODEL}).status_code == 200


def test_a_response_can_be_closed_twice(client: httpx2.Client, model_server: ModelServer) -> None:
    model_server.script(MODEL, json_reply(200, {}))
    response = client.post(model_server.base_url, json={"model": MODEL})
    response.close()
    response.stream.close()  # type: ignore[union-attr]
    assert client.post(model_server.base_url, json={"model": MODEL}).json() == {}
    assert model_server.connections == 1
