"""Clients that keep the gateway waiting are let go of; those that are merely slow are served."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from api_gateway import patience

from .world import World

HURRY_S = 0.5


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD_WITHIN_S", "BODY_WITHIN_S", "ANSWERED_BODY_WITHIN_S", "TAKEN_WITHIN_S"):
        monkeypatch.setattr(patience, name, HURRY_S)


@contextmanager
def connected(client: httpx.Client) -> Iterator[socket.socket]:
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=10) as connection:
        yield connection


def answer(connection: socket.socket) -> str:
    """Head and body of one answer."""
    text = ""
    while "\r\n\r\n" not in text or not text.endswith("}"):
        piece = connection.recv(10_000)
        assert piece, text
        text += piece.decode()
    return text


def is_let_go(connection: socket.socket) -> bool:
    try:
        return connection.recv(1000) == b""
    except ConnectionResetError:
        return True


def test_what_is_no_http_is_answered_as_every_other_problem(client: httpx.Client) -> None:
    with connected(client) as connection:
        connection.sendall(b"HELLO\r\n\r\n")
        head, body = answer(connection).split("\r\n\r\n")
        assert head.startswith("HTTP/1.1 400")
        assert json.loads(body)["code"] == "bad_request"
        assert is_let_go(connection)


@pytest.mark.parametrize("begun", [b"", b"GET /v1/health/live HTTP/1.1\r\nHost: localhost\r\n"])
def test_a_request_that_does_not_begin_or_end_its_head(client: httpx.Client, begun: bytes) -> None:
    with connected(client) as connection:
        connection.sendall(begun)
        assert is_let_go(connection)


def test_a_second_request_on_the_same_connection_has_no_more_time(client: httpx.Client) -> None:
    with connected(client) as connection:
        connection.sendall(b"GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer(connection).startswith("HTTP/1.1 200")
        connection.sendall(b"GET /v1/health/live HTTP/1.1\r\n")
        assert is_let_go(connection)


def test_a_head_without_end(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_WITHIN_S", 60.0)
    with connected(client) as connection:
        connection.sendall(b"GET /v1/health/live HTTP/1.1\r\nHost: localhost\r\n")
        with suppress(BrokenPipeError, ConnectionResetError):
            for number in range(60_000):
                connection.sendall(f"X-{number}: {'x' * 1000}\r\n".encode())
            pytest.fail("sixty megabytes of headers were taken")


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/uploads?name=kick.wav", "/v1/search"])
def test_a_body_that_trickles(client: httpx.Client, path: str) -> None:
    with connected(client) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
        connection.sendall(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
        told = answer(connection)
        assert told.startswith("HTTP/1.1 408"), told
        assert json.loads(told.split("\r\n\r\n")[1])["code"] == "too_slow"
        assert is_let_go(connection)


def test_a_body_that_comes_slowly_and_well_is_taken(client: httpx.Client, world: World) -> None:
    def pieces() -> Iterator[bytes]:
        until = time.monotonic() + 2 * HURRY_S
        while time.monotonic() < until:
            yield b"RIFF" * 200
            time.sleep(0.05)

    told = client.post("/v1/uploads", params={"name": "slow.wav"}, content=pieces())
    assert told.status_code == 201, told.text


def test_the_rest_of_a_body_that_is_answered_already(client: httpx.Client) -> None:
    with connected(client) as connection:
        connection.sendall(b"POST /v1/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{")
        assert answer(connection).startswith("HTTP/1.1 422")  # it has no name
        assert is_let_go(connection)


def test_answers_that_nobody_takes(client: httpx.Client) -> None:
    asked, length = 200, int(client.head("/openapi.json").headers["Content-Length"])
    with connected(client) as connection:
        connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * asked)
        time.sleep(3 * HURRY_S)
        taken = 0
        with suppress(ConnectionResetError):
            while piece := connection.recv(1 << 20):
                taken += len(piece)
        assert taken < asked * length
