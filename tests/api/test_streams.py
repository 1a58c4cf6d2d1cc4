"""Event streams, many, slow or stuck; and the command line on one."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager

import httpx
import pytest

from samplemind_tasks.cli.call import Call
from samplemind_tasks.cli.watch import read_job, watch
from samplemind_tasks.library.listeners import MOST_HELD, Listener, Told
from samplemind_tasks.news import Happening
from samplemind_tasks.schemas import JobState
from samplemind_tasks.settings import Settings

from .streams import Worker, listening
from .world import World, eventually

Serve = Callable[[Settings], AbstractContextManager[httpx.Client]]


@pytest.fixture
def worker(world: World) -> Worker:
    return Worker(world)


@pytest.mark.parametrize("most_streams", [800, 0])
def test_the_command_line_is_told_and_asks_where_it_is_not(world: World, serve: Serve, most_streams: int) -> None:
    worker = Worker(world)
    with serve(world.settings.model_copy(update={"max_streams": most_streams})) as client:
        call = Call(world.settings.model_copy(update={"url": str(client.base_url)}))
        asked: list[str] = []
        ask = call.gateway.poll
        call.gateway.poll = lambda job, etag: asked.append(job) or ask(job, etag)  # type: ignore[method-assign, func-returns-value]
        answer = call.gateway.job(worker.job)
        with ThreadPoolExecutor(1) as threads:
            watching = threads.submit(watch, call, read_job(answer), answer)
            assert most_streams or eventually(lambda: len(asked) > 1)
            worker.lose(1)
            worker.end()
            job, last = watching.result(10)
    assert (job.state, last["counts"]["done"]) == (JobState.DONE, 8)
    assert bool(asked) is not bool(most_streams)


def test_many_streams_are_fed_by_one_reader(client: httpx.Client, worker: Worker, world: World) -> None:
    limits = httpx.Limits(max_connections=60)
    with ExitStack() as stack, httpx.Client(base_url=client.base_url, limits=limits, trust_env=False) as many:
        streams = [stack.enter_context(listening(many, f"/v1/jobs/{worker.job}/events")) for _ in range(50)]
        for stream in streams:
            next(stream)
        asked = world.redis.info("commandstats")["cmdstat_evalsha"]["calls"]
        began = time.monotonic()
        worker.lose(1)
        heard = [next(stream) for stream in streams]
        took_s = time.monotonic() - began
        asked = world.redis.info("commandstats")["cmdstat_evalsha"]["calls"] - asked
    assert len({event.id for event in heard}) == 1
    assert asked < 5 + 10 * took_s


def test_a_listener_that_does_not_listen_holds_the_newest_of_each_topic() -> None:
    listener = Listener("local")
    for version in range(1, 10_000):
        listener.offer(Told(Happening.JOB, f"job:{version % 7}", version, "{}"))

    async def hear(count: int) -> list[int]:
        heard = aiter(listener)
        return [(await anext(heard)).version for _ in range(count)]

    assert asyncio.run(hear(7)) == list(range(9_993, 10_000))
    for version in range(10_000, 10_002 + MOST_HELD):
        listener.offer(Told(Happening.SAMPLES, f"sample:{version}", version, "{}"))
    assert asyncio.run(hear(1)) == [10_000 + MOST_HELD]


def test_one_user_cannot_take_all_streams_and_a_closed_one_is_free_again(world: World, serve: Serve) -> None:
    with serve(world.settings.model_copy(update={"max_streams": 4})) as client:
        with ExitStack() as stack:
            streams = [stack.enter_context(listening(client, "/v1/events")) for _ in range(3)]
            assert [next(stream).name for stream in streams] == ["start"] * 3
            answer = client.get("/v1/events")
            assert (answer.status_code, answer.json()["code"]) == (429, "too_many")
            assert int(answer.headers["Retry-After"]) > 0

        def opens() -> bool:
            with client.stream("GET", "/v1/events") as answer:
                return answer.status_code == 200

        assert eventually(opens)


def test_a_stream_says_that_redis_is_away_and_goes_on(world: World, serve: Serve) -> None:
    worker = Worker(world)
    with (
        serve(world.settings.model_copy(update={"request_timeout_s": 0.4})) as client,
        listening(client, f"/v1/jobs/{worker.job}/events") as stream,
    ):
        first = next(stream)
        world.redis.client_pause(2_000, all=True)
        away = next(stream)
        assert (away.name, away.id, away.data) == ("away", None, {"store": "redis"})
        worker.lose(1)
        heard = [next(stream), next(stream)]
    assert {event.name for event in heard} == {"back", "job"}
    assert [event.id for event in heard if event.name == "job"] > [first.id]


@pytest.mark.timeout(60)
def test_a_gateway_with_twenty_open_streams_stops_at_once(world: World) -> None:
    worker = Worker(world)
    own = world.settings.model_dump(mode="json", exclude={"roots", "tempo_range_bpm"}, exclude_none=True)
    environment = os.environ | {f"SAMPLEMIND_{name.upper()}": str(value) for name, value in own.items()}
    with running_gateway(environment) as (process, url), ExitStack() as stack:
        client = stack.enter_context(httpx.Client(base_url=url, timeout=20, trust_env=False))
        assert eventually(lambda: is_up(client), 30)
        paths = [f"/v1/jobs/{worker.job}/events", "/v1/events"] * 10
        streams = [stack.enter_context(listening(client, path)) for path in paths]
        for stream in streams:
            next(stream)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert [list(stream) for stream in streams] == [[]] * 20  # each ends as it should, not by a cut
        assert process.wait(3) in (0, -signal.SIGTERM)
        assert time.monotonic() - began < 3


@contextmanager
def running_gateway(environment: dict[str, str]) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    with socket.create_server(("127.0.0.1", 0)) as listening_at:
        port = listening_at.getsockname()[1]
    command = [sys.executable, "-m", "api_gateway", "--port", str(port)]
    with subprocess.Popen(command, env=environment) as process:
        try:
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def is_up(client: httpx.Client) -> bool:
    try:
        return client.get("/v1/health/live").is_success
    except httpx.TransportError:
        return False
