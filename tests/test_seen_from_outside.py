"""The running stack from outside: what its operator sees, and what a stranger does who got at its broker."""

import json
import os
import re
import runpy
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from kombu import Connection
from pymongo import MongoClient
from redis import Redis
from scraped import Samples, labels_of, scrape, value

from samplemind_tasks.launch import Stack, read_run_file
from samplemind_tasks.queues import Queue

pytestmark = pytest.mark.timeout(240)

ROOT = Path(__file__).parent.parent
REQUEST_ID = "seen-from-outside-1"
FILES = 12
STAGES = ("analyze", "embed", "index")


@pytest.fixture(scope="module")
def job(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A small job that has gone all the way, asked for under an id of our own; one of its files is no audio."""
    folder = tmp_path_factory.mktemp("sounds")
    times = np.arange(22_050) / 44_100
    for number in range(FILES - 1):
        soundfile.write(folder / f"tone {number}.wav", 0.5 * np.sin(2 * np.pi * (200 + 30 * number) * times), 44_100)
    (folder / "broken.wav").write_bytes(b"RIFF, or so it says")
    with httpx.Client(base_url=stack.url, timeout=20, trust_env=False) as client:
        before = scrape(client)
        asked = client.post("/v1/jobs", json={"path": str(folder)}, headers={"X-Request-ID": REQUEST_ID})
        assert asked.headers["X-Request-ID"] == REQUEST_ID
        where = asked.headers["Location"]
        eventually(lambda: client.get(where).json()["state"] == "done", within_s=120)
        ended = client.get(where).json()

        def grown() -> Samples:
            return {name: count - before.get(name, 0) for name, count in scrape(client).items()}

        def fewest_chunks() -> float:
            now = grown()
            return min(value(now, "chunk_duration_seconds_count", stage=stage) or 0 for stage in STAGES)

        # a worker tells of its last chunk when it has let go of it, which may be a moment after the job's end
        eventually(lambda: fewest_chunks() >= FILES / 5)
        assert (ended["counts"]["done"], ended["failures"]) == (FILES - 1, {"not_audio": 1})
        return {**ended, "grown": grown()}


@pytest.fixture(scope="module")
def flower(stack: Stack) -> httpx.Client:
    login = read_run_file(stack.settings.data_dir)["flower"]
    return httpx.Client(base_url=login["url"], auth=(login["user"], login["password"]), timeout=20, trust_env=False)


def eventually(claim: Callable[[], bool], *, within_s: float = 20.0) -> None:
    """Wait for the claim to become true."""
    until = time.monotonic() + within_s
    while not claim():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.1)


def promised() -> dict[str, tuple[set[str], set[str]]]:
    """The README's table: by worker its queues and its tasks."""
    table = (ROOT / "README.md").read_text().split("## Queues, as Flower shows them")[1].split("\n## ")[0]
    workers: dict[str, tuple[set[str], set[str]]] = {}
    for row in re.findall(r"^\| (`.*?) \| (.*?) \| `(\w+)@host`", table, re.MULTILINE):
        queues, tasks, worker = row
        workers[worker] = (set(re.findall(r"`([^`]+)`", queues)), set(tasks.split(", ")))
    return workers


# -------------------------------------------------------------------------------------------------------------- Flower


def test_flower_shows_the_workers_queues_and_tasks_of_the_readme(flower: httpx.Client, job: dict[str, Any]) -> None:
    workers = flower.get("/api/workers", params={"refresh": "1"}).raise_for_status().json()
    shown = {
        name.partition("@")[0]: (
            {queue["name"] for queue in told["active_queues"]},
            {task.partition(" ")[0] for task in told["registered"] if not task.startswith("celery.")},
        )
        for name, told in workers.items()
    }
    assert shown == promised()


def test_flower_shows_what_the_job_did_and_who_did_it(flower: httpx.Client, job: dict[str, Any]) -> None:
    done_by = {"scan.slice": "scan", "cpu.analyze": "cpu", "gpu.embed": "ai", "control.index": "control"}

    def seen() -> dict[str, str]:
        tasks = flower.get("/api/tasks").raise_for_status().json().values()
        mine = [task for task in tasks if job["id"] in task["args"] and task["state"] == "SUCCESS"]
        return {task["name"]: task["worker"].partition("@")[0] for task in mine}

    eventually(lambda: seen().items() >= done_by.items())


def test_flower_asks_who_you_are(flower: httpx.Client) -> None:
    for path in ("/", "/workers", "/tasks", "/broker", "/api/workers", "/api/tasks", "/api/queues/length"):
        assert httpx.get(f"{flower.base_url}{path}", trust_env=False).status_code == 401, path
        assert httpx.get(f"{flower.base_url}{path}", auth=("samplemind", "wrong"), trust_env=False).status_code == 401
        assert flower.get(path).status_code == 200, path
    stop = httpx.post(f"{flower.base_url}/api/worker/shutdown/cpu@host", trust_env=False)
    assert stop.status_code == 401


@pytest.mark.parametrize("login", ["", "samplemind", "samplemind:", ":secret"])
def test_flower_does_not_start_without_a_login(login: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_FLOWER_AUTH", login)
    with pytest.raises(SystemExit, match="SAMPLEMIND_FLOWER_AUTH"):
        runpy.run_path(str(ROOT / "config" / "flowerconfig.py"))


# -------------------------------------------------------------------------------------------------------- one id, logs


def test_one_id_leads_from_the_request_through_every_worker(stack: Stack, job: dict[str, Any]) -> None:
    logs = stack.settings.data_dir / "logs"

    def trip() -> set[tuple[str, str]]:
        found = set()
        for log in logs.glob("*.log*"):  # the tests before may have filled one
            for text in log.read_text(errors="replace").splitlines():
                if REQUEST_ID in text:
                    line = json.loads(text)
                    assert line["request_id"] == REQUEST_ID
                    found.add((log.name.partition(".")[0], line["event"]))
        return found

    wanted = {
        ("gateway", "request_answered"),
        ("worker-scan", "slice_listed"),
        ("worker-cpu", "stage_finished"),
        ("worker-ai", "stage_finished"),
        ("worker-control", "stage_finished"),
        ("worker-control", "job_finished"),
    }
    eventually(lambda: trip() >= wanted)


def test_no_log_holds_a_password(stack: Stack, job: dict[str, Any]) -> None:
    passwords = json.loads((stack.settings.data_dir / "passwords.json").read_text()).values()
    for log in (stack.settings.data_dir / "logs").glob("*.log*"):
        text = log.read_text(errors="replace")
        assert not any(password in text for password in passwords), log.name


# ------------------------------------------------------------------------------------------------------------- metrics


def test_metrics_tell_the_same_story_as_the_job(job: dict[str, Any]) -> None:
    grown: Samples = job["grown"]
    told = labels_of(grown, "files_total")
    files = {(row["stage"], row["outcome"]): value(grown, "files_total", **row) for row in told}
    assert {name: count for name, count in files.items() if count} == {
        ("scan", "ok"): FILES,
        ("analyze", "ok"): FILES - 1,
        ("analyze", "not_audio"): 1,
        ("embed", "ok"): FILES - 1,
        ("index", "ok"): FILES - 1,
    }
    for stage in STAGES:
        assert (value(grown, "chunk_duration_seconds_count", stage=stage) or 0) >= FILES / 5
        assert 0 < (value(grown, "chunk_duration_seconds_sum", stage=stage) or 0) < 120
    assert (value(grown, "windows_heard_total") or 0) >= FILES - 1
    posted = {"method": "POST", "route": "/v1/jobs", "status": "2xx"}
    assert value(grown, "http_request_duration_seconds_count", **posted) == 1


def test_metrics_tell_who_is_at_work_and_where_the_model_runs(stack: Stack, job: dict[str, Any]) -> None:
    with httpx.Client(base_url=stack.url, timeout=20, trust_env=False) as client:
        now = scrape(client)
    for role in ("control", "scan", "cpu", "ai", "live"):
        assert value(now, "worker_processes", role=role) == 1
        assert value(now, "worker_standstill_seconds", role=role, host=os.uname().nodename) == 0
    devices = {row["role"]: row["device"] for row in labels_of(now, "worker_device")}
    assert devices.keys() == {"ai", "live"}
    assert set(devices.values()) <= {"cpu", "cuda:0"}


# ------------------------------------------------------------------------------------------ a stranger at the broker


class Bomb:
    """Leaves a file behind wherever it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return Path.touch, (self.path,)  # type: ignore[return-value]


def send(stack: Stack, queue: Queue, task: str, *args: object, serializer: str = "json") -> str:
    """A message as Celery writes it, by whoever knows the broker's password; the task's id."""
    task_id = uuid.uuid4().hex
    with Connection(stack.settings.redis_url) as connection, connection.Producer() as producer:
        headers = {"task": task, "id": task_id, "lang": "py", "argsrepr": "", "root_id": task_id}
        producer.publish(
            (args, {}, {}), routing_key=queue.value, exchange="", serializer=serializer, headers=headers,
            correlation_id=task_id,
        )  # fmt: skip
    return task_id


def test_a_pickle_is_refused_logged_and_never_opened(stack: Stack, job: dict[str, Any], tmp_path: Path) -> None:
    tasks = {
        Queue.SCAN: ("scan.slice", "worker-scan"), Queue.CPU: ("cpu.analyze", "worker-cpu"),
        Queue.GPU: ("gpu.embed", "worker-ai"), Queue.LIVE: ("live.embed_text", "worker-live"),
        Queue.CONTROL: ("control.dispatch", "worker-control"),
    }  # fmt: skip
    logs = stack.settings.data_dir / "logs"
    for queue, (task, _) in tasks.items():
        send(stack, queue, task, Bomb(tmp_path / queue.value), serializer="pickle")
    for _, log in tasks.values():
        eventually(lambda log=log: "pickle" in (logs / f"{log}.log").read_text())  # type: ignore[misc]
    with httpx.Client(base_url=stack.url, timeout=20, trust_env=False) as client:
        assert client.post("/v1/search", json={"text": "a low tone"}).status_code == 200  # its worker lives
    assert list(tmp_path.iterdir()) == []


def test_messages_name_things_by_id_and_lead_to_no_file(stack: Stack, job: dict[str, Any], tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    soundfile.write(secret, np.zeros(4410), 44_100)
    outside = [str(secret), f"../../../../../..{secret}", f"queries/../../../../../../..{secret}"]
    for path in outside:
        send(stack, Queue.SCAN, "scan.slice", path)
        send(stack, Queue.CPU, "cpu.analyze", path)
        send(stack, Queue.GPU, "gpu.embed", path)
        send(stack, Queue.CONTROL, "control.index", path)
    asked = [send(stack, Queue.LIVE, "live.embed_sound", path) for path in outside]
    taught = [send(stack, Queue.GPU_NOW, "gpu.teach", "local", str(tmp_path), path) for path in outside]
    with Redis.from_url(stack.settings.redis_url) as redis:
        results = [f"celery-task-meta-{task_id}" for task_id in (*asked, *taught)]
        eventually(lambda: all(redis.exists(name) for name in results))
        told = [json.loads(redis.get(name) or b"")["result"] for name in results]
    assert all(row.get("code") or row.get("exc_type") for row in told), told
    with MongoClient[dict[str, Any]](stack.settings.mongo_url) as mongo:
        database = mongo[stack.settings.mongo_database]
        assert not [row for row in database.places.find({}) if "secret" in row["path"]]
