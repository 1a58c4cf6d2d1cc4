"""Queues over HTTP, and what a paused one means for the work that waits in it."""

import os
import signal
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest

from samplemind_tasks.launch import Stack, read_run_file
from samplemind_tasks.library.queues import PASSED_BY
from samplemind_tasks.pipeline import STAGES, claim, dispatch, hand_on, resend_in_flight
from samplemind_tasks.planning import current_versions
from samplemind_tasks.queues import Queue
from samplemind_tasks.reconcile import reconcile
from samplemind_tasks.scan import scan_turn
from samplemind_tasks.store.chunks import Chunk, ChunkSample, ChunkState, Stage
from samplemind_tasks.store.mongo import connect
from samplemind_tasks.store.stores import Stores

from .world import World, eventually

SOUNDS = 24


def queue(client: httpx.Client, name: str) -> dict[str, Any]:
    rows = client.get("/v1/queues").raise_for_status().json()["queues"]
    return next(row for row in rows if row["name"] == name)


def waits_for(client: httpx.Client, job: str) -> str | None:
    answer = client.get(f"/v1/jobs/{job}").raise_for_status().json()["waiting_for"]
    return None if answer is None else str(answer)


@pytest.fixture
def job(world: World, held: Stores) -> str:
    """A job over twelve files in six chunks, with room for four at a time. Nobody is at work."""
    for number in range(12):
        path = world.folder / f"{number:02}.wav"
        path.write_bytes(b"x" * (number + 1))
        os.utime(path, (1_700_000_000, 1_700_000_000))
    job = world.job()
    held.progress.rebuild(world.record(job), [])
    return job


@pytest.fixture
def narrow(held: Stores) -> Stores:
    return Stores(held.settings.model_copy(update={"chunk_places": 2, "chunks_in_flight": 4}))


def lease(held: Stores, chunk: Chunk, stage: Stage, token: str = "me") -> Chunk | None:
    version = current_versions(held.settings)[stage.value]
    return claim(held, chunk.id, stage, {stage.value: version}, token)


def test_queues_that_can_be_paused_are_those_of_the_stages() -> None:
    steps = {step.stage: step for step in STAGES}
    assert {name for name, (stage, hurry) in PASSED_BY.items() if steps[stage].queue_of(hurry) is name} == {
        queue for step in STAGES for queue in (step.queue, step.queue_now) if queue is not Queue.CONTROL
    }


def test_every_queue_is_listed_with_what_waits_in_it(
    client: httpx.Client, world: World, narrow: Stores, job: str
) -> None:
    rows = client.get("/v1/queues").json()["queues"]
    assert [row["name"] for row in rows] == list(Queue)
    assert {row["name"] for row in rows if row["can_pause"]} == set(PASSED_BY)
    scan_turn(narrow, job)
    first = narrow.chunks.in_flight(job)[0]
    assert lease(narrow, first, Stage.ANALYZE)
    world.redis.hset("unacked", "tag", '[{"body": ""}, "", "cpu"]')
    world.redis.set("worker:cpu:here:1", "{}")
    row = queue(client, "cpu")
    assert (row["messages"], row["taken"], row["workers"]) == (4, 1, 1)
    assert (row["chunks_waiting"], row["chunks_at_work"], row["paused_since"]) == (5, 1, None)
    assert (queue(client, "control")["chunks_waiting"], queue(client, "gpu")["workers"]) == (None, 0)


def test_unknown_queues_and_those_that_carry_orders_are_refused(client: httpx.Client) -> None:
    for verb in ("pause", "resume"):
        unknown = client.post(f"/v1/queues/cups/{verb}")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "no_such_queue")
        for name in ("control", "scan", "live"):
            refused = client.post(f"/v1/queues/{name}/{verb}")
            assert (refused.status_code, refused.json()["code"]) == (409, "cannot_pause")


def test_nothing_of_a_paused_queue_is_handed_out_and_no_attempt_counted(
    client: httpx.Client, world: World, narrow: Stores, job: str
) -> None:
    assert client.post("/v1/queues/cpu/pause").status_code == 200
    since = queue(client, "cpu")["paused_since"]
    client.post("/v1/queues/cpu/pause")
    assert queue(client, "cpu")["paused_since"] == since is not None
    scan_turn(narrow, job)
    assert world.queued("cpu") == []
    assert waits_for(client, job) == "queue cpu (paused)"
    for _ in range(8):
        reconcile(narrow)
    assert (world.queued("cpu"), narrow.chunks.in_flight(job)) == ([], [])

    client.post("/v1/queues/cpu/resume")
    assert waits_for(client, job) is None
    assert eventually(lambda: any(job in message for message in world.queued("control")))  # the dispatcher is told
    dispatch(narrow, job)
    assert len(world.queued("cpu")) == 4
    chunks = narrow.chunks.of_job(job, world.record(job).scan)
    assert [(row.attempts, row.faults, row.state) for row in chunks] == [(0, 0, ChunkState.WAITING)] * 6


def test_what_was_sent_before_the_pause_waits_and_what_is_at_work_ends(
    client: httpx.Client, world: World, narrow: Stores, job: str
) -> None:
    scan_turn(narrow, job)
    at_work, waiting, *_ = narrow.chunks.in_flight(job)
    leased = lease(narrow, at_work, Stage.ANALYZE)
    assert leased
    client.post("/v1/queues/cpu/pause")
    assert lease(narrow, waiting, Stage.ANALYZE) is None
    assert waits_for(client, job) == "queue cpu (paused)"
    samples = tuple(ChunkSample(place, place, "0" * 64) for place in leased.places)
    handed = hand_on(narrow, leased, Stage.EMBED, samples=samples)
    assert handed
    assert lease(narrow, handed, Stage.EMBED)  # the next queue is open

    client.post("/v1/queues/cpu/resume")
    world.redis.delete("cpu")  # the messages went by
    resend_in_flight(narrow, world.record(job))
    assert len(world.queued("cpu")) == 3
    again = lease(narrow, waiting, Stage.ANALYZE)
    assert again
    assert (again.attempts, again.faults) == (0, 0)


def test_each_queue_is_paused_by_itself(client: httpx.Client, narrow: Stores, job: str) -> None:
    client.post("/v1/queues/cpu.now/pause")
    client.post("/v1/queues/gpu/pause")
    scan_turn(narrow, job)
    leased = lease(narrow, narrow.chunks.in_flight(job)[0], Stage.ANALYZE)
    assert leased
    handed = hand_on(narrow, leased, Stage.EMBED, samples=())
    assert handed
    assert lease(narrow, handed, Stage.EMBED) is None
    assert waits_for(client, job) == "queue gpu (paused)"
    client.post("/v1/queues/gpu/resume")
    assert lease(narrow, handed, Stage.EMBED)


# ---------------------------------------------------------------------------------------------------- with workers


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """Short tones, each of its own."""
    folder = tmp_path / "tones"
    folder.mkdir()
    time_s = np.arange(8_000) / 16_000
    for number in range(SOUNDS):
        tone = 0.5 * np.sin(2 * np.pi * (110 + 20 * number) * time_s) * np.exp(-4 * time_s)
        with wave.open(str(folder / f"tone {number:02}.wav"), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(16_000)
            sound.writeframes((tone * 32767).astype("<i2").tobytes())
    return folder


def kill(stack: Stack, service: str) -> Callable[[], bool]:
    """Kill a service and all its processes; answers a question: whether the stack has it again."""
    before = read_run_file(stack.settings.data_dir)["services"][service]["pid"]
    os.killpg(os.getpgid(before), signal.SIGKILL)

    def is_back() -> bool:
        now = read_run_file(stack.settings.data_dir)["services"][service]["pid"]
        return now != before and psutil.pid_exists(now)

    return is_back


@pytest.mark.timeout(240)
def test_a_paused_queue_holds_work_through_a_restart_and_a_resumed_one_ends_it(stack: Stack, sounds: Path) -> None:
    db = connect(stack.settings)
    with httpx.Client(base_url=stack.url, timeout=20, trust_env=False) as client:

        def look(job: str) -> dict[str, Any]:
            return dict(client.get(f"/v1/jobs/{job}").raise_for_status().json())

        for name in ("cpu", "gpu"):
            client.post(f"/v1/queues/{name}/pause").raise_for_status()
        job = client.post("/v1/jobs", json={"path": str(sounds)}).raise_for_status().json()["id"]
        assert eventually(lambda: look(job)["waiting_for"] == "queue cpu (paused)", 60)
        assert eventually(kill(stack, "worker-control"), 60)
        Stores(stack.settings).progress.waiting_for(job, "nothing")  # the one who started anew says it again
        assert eventually(lambda: look(job)["waiting_for"] == "queue cpu (paused)", 60)
        counts = look(job)["counts"]
        assert (counts["found"], counts["waiting"]) == (SOUNDS, SOUNDS)

        client.post("/v1/queues/cpu/resume").raise_for_status()
        assert eventually(lambda: look(job)["stages"]["analyzed"] > 0, 60)
        assert eventually(lambda: look(job)["waiting_for"] == "queue gpu (paused)", 60)
        assert look(job)["stages"]["embedded"] == 0

        client.post("/v1/queues/gpu/resume").raise_for_status()
        assert eventually(lambda: look(job)["finished_at"] is not None, 120), look(job)
        assert look(job)["counts"]["done"] == SOUNDS
    chunks = list(db.chunks.find({"job": job}))
    assert len(chunks) > 1
    assert {(row["attempts"], row["faults"], row["state"]) for row in chunks} == {(0, 0, "done")}


def test_readiness_tells_of_a_paused_queue(client: httpx.Client) -> None:
    def told() -> dict[str, Any]:
        parts = client.get("/v1/health/ready").json()["parts"]
        return next(part for part in parts if part["name"] == "queues")

    assert told()["ok"]
    client.post("/v1/queues/cpu/pause").raise_for_status()
    assert (told()["ok"], told()["message"]) == (False, "paused: cpu")
    assert "samplemind resume cpu" in told()["advice"]
