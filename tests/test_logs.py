"""Logs: one line an event, read by programs; one id from a request to the last worker; no secret in any of them."""

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog

from samplemind_tasks.logs import (
    bind_request,
    configure_logs,
    current_request_id,
    get_log,
    unbind_everything,
    without_secrets,
)

PASSWORD = "s3cr3t-p4ss"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a process that is not on a terminal writes."""
    with _writing(monkeypatch, as_json=None) as stream:
        yield stream


@contextmanager
def _writing(monkeypatch: pytest.MonkeyPatch, *, as_json: bool | None) -> Iterator[io.StringIO]:
    stream, root = io.StringIO(), logging.getLogger()
    before, level = root.handlers[:], root.level
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs(as_json=as_json)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    unbind_everything()
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


# --------------------------------------------------------------------------------------------------------------- lines


def test_an_event_is_a_line_of_json_with_its_fields(written: io.StringIO) -> None:
    get_log("a").info("chunk_finished", chunk="c-1", seconds=1.5, odd={"set": {1}}, path="/music/\udcff.wav")
    [line] = lines(written)
    assert line["event"] == "chunk_finished"
    assert line["level"] == "info"
    assert line["timestamp"].endswith("Z")
    assert (line["chunk"], line["seconds"], line["odd"], line["path"]) == (
        "c-1", 1.5, {"set": [1]}, "/music/\udcff.wav",
    )  # fmt: skip


def test_an_exception_stays_on_one_line(written: io.StringIO) -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        get_log("a").exception("stage_failed")
    [line] = lines(written)
    assert "two\nlines" in line["exception"]
    assert "Traceback" in line["exception"]


def test_what_libraries_say_looks_the_same(written: io.StringIO) -> None:
    bind_request("r-1")
    logging.getLogger("celery.worker").warning("lost %s", "connection")
    logging.getLogger("uvicorn.error").warning("started")
    assert [(line["event"], line["request_id"]) for line in lines(written)] == [
        ("lost connection", "r-1"),
        ("started", "r-1"),
    ]


def test_uvicorn_writes_through_us_alone(written: io.StringIO) -> None:
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        assert not logging.getLogger(name).handlers
        assert logging.getLogger(name).propagate


def test_a_person_reads_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with _writing(monkeypatch, as_json=False) as stream:
        get_log("a").info("chunk_finished", chunk="c-1")
        try:
            held_in_a_local_variable = PASSWORD
            raise ValueError(len(held_in_a_local_variable))
        except ValueError:
            get_log("a").exception("stage_failed")
        assert "chunk_finished" in stream.getvalue()
        assert "ValueError: 11" in stream.getvalue()
        assert PASSWORD not in stream.getvalue(), "no local variables"


# ------------------------------------------------------------------------------------------------------- a request's id


def test_a_bound_id_is_on_every_line_until_it_is_unbound(written: io.StringIO) -> None:
    bind_request("r-1", task="cpu.analyze")
    get_log("a").info("began")
    unbind_everything()
    get_log("a").info("another")
    first, second = lines(written)
    assert (first["request_id"], first["task"]) == ("r-1", "cpu.analyze")
    assert "request_id" not in second
    assert current_request_id() is None


def test_threads_have_ids_of_their_own() -> None:
    seen: dict[str, str | None] = {}
    both_bound = threading.Barrier(2, timeout=10)

    def work(name: str) -> None:
        bind_request(name)
        both_bound.wait()
        seen[name] = current_request_id()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("r-1", "r-2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"r-1": "r-1", "r-2": "r-2"}


# ------------------------------------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize(
    "text",
    [
        f"redis://:{PASSWORD}@127.0.0.1:6379/0",
        f"cannot reach mongodb://ada:{PASSWORD}@db.example:27017/?journal=true today",
        f"redis://ada:p@ss/{PASSWORD}@host/0",
        f"s3://bucket?access_key_id=x&secret={PASSWORD}",
        f"Authorization: Bearer {PASSWORD}-and-more",
        f"{{'Authorization': 'Basic {PASSWORD}=='}}",
        f"sent bearer {PASSWORD}",
        f'{{"password": "{PASSWORD}"}}',
        f"X-Amz-Signature={PASSWORD}&x=1",
    ],
)
def test_secrets_are_hidden_in_any_text(text: str) -> None:
    assert PASSWORD not in without_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        "/home/ada/Loops @ 120/kick@808.wav",
        "file:///home/ada/a@b.wav",
        "http://127.0.0.1:8321/v1/jobs/5f0c9a0b1c2d3e4f5a6b7c8d",
        "mongodb: no answer within 5 s",
        "/home/ada/Basic Collection/kick.wav",
        "kick, key A minor: 0.7",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


def test_secrets_are_hidden_wherever_they_are_in_a_line(written: io.StringIO) -> None:
    log = get_log("a")
    log.info("asked", password=PASSWORD, headers={"Authorization": f"Bearer {PASSWORD}", "Accept": "text/plain"})
    log.info("asked", urls=[f"redis://:{PASSWORD}@h/0"], given=(b"x", {"api_key": PASSWORD}))
    log.warning(f"cannot reach redis://:{PASSWORD}@h/0")
    logging.getLogger("kombu").error("Cannot connect to %s", f"redis://:{PASSWORD}@h/0")
    try:
        raise ConnectionError(f"redis://:{PASSWORD}@h/0 refused")
    except ConnectionError as error:
        log.error("lost", exc_info=error, error=error)
    text = written.getvalue()
    assert PASSWORD not in text
    assert len(lines(written)) == 5
    assert "text/plain" in text
    assert "ConnectionError: redis://***@h/0 refused" in text


def test_a_thing_within_itself_does_not_hang_the_log(written: io.StringIO) -> None:
    loop: dict[str, Any] = {}
    loop["again"] = loop
    get_log("a").info("odd", loop=loop)
    assert len(lines(written)) == 1
