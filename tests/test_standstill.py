"""A worker that lives and takes nothing of what waits is told from one that has nothing to do."""

from collections.abc import Iterator

import orjson
import pytest
from redis import Redis

from samplemind_tasks import queues
from samplemind_tasks.queues import Standstill
from samplemind_tasks.settings import Settings


def test_it_stands_while_something_waits_and_nothing_is_taken() -> None:
    worker = Standstill()
    assert [worker.seconds(waiting=3, now_s=now) for now in (100.0, 160.0, 700.0)] == [0, 60, 600]


def test_what_is_taken_begins_the_count_anew() -> None:
    worker = Standstill()
    worker.seconds(waiting=3, now_s=100.0)
    worker.moved()
    assert worker.seconds(waiting=2, now_s=700.0) == 0
    assert worker.seconds(waiting=2, now_s=710.0) == 10


def test_an_idle_night_is_no_standstill() -> None:
    worker = Standstill()
    worker.seconds(waiting=0, now_s=0.0)
    worker.seconds(waiting=0, now_s=8 * 3600.0)
    assert worker.seconds(waiting=5, now_s=8 * 3600.0 + 2) == 2


@pytest.fixture
def broker(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """The broker this process' heartbeats go to."""
    with Redis.from_url(settings.redis_url) as redis:
        monkeypatch.setattr(queues, "_beats", lambda: redis)
        monkeypatch.setattr(queues, "_standstill", Standstill())
        monkeypatch.setenv("SAMPLEMIND_ROLE", "cpu")
        yield redis


def test_a_heartbeat_tells_it(broker: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    broker.rpush("cpu", "a message nobody takes")
    for now in (50.0, 800.0):
        monkeypatch.setattr("samplemind_tasks.queues.time.monotonic", lambda now=now: now)
        queues.heartbeat_sent.send(sender=None)
    [key] = broker.keys("worker:cpu:*")
    told = orjson.loads(broker.get(key) or b"")
    assert told["stands_s"] == 750
    assert told["host"] in key.decode()
    assert 0 < broker.ttl(key) <= queues.WORKER_BEAT_SECONDS
