"""From an older version to this one and back, with work under way, on one data folder."""

import io
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.figures import Figure
from benchmarks.material import one_shots
from benchmarks.world import ENDED, World
from samplemind_tasks.launch import read_run_file

OLD = os.environ.get("CHAOS_OLD_REVISION", "HEAD~30")
FEW, MANY = 60, 200
WITHIN_S = 240.0
ROOT = Path(__file__).parents[2]

Json = dict[str, Any]


def upgrade(world: World) -> list[Figure]:
    """The old version is stopped in the middle of a job, and the new one ends it; the old one opens what came of it."""
    folder = world.folder / "upgrade"
    few, many, more = (one_shots(folder / name, count, seed=seed) for name, count, seed in _FOLDERS)
    old = _unpacked(world.folder / "old")
    problems = []
    with _old_stack(old, world.data_dir) as gateway:
        _finish(gateway, _submit(gateway, folder / "few"))
        half = _submit(gateway, folder / "many")
        _until(lambda: _job(gateway, half)["counts"]["done"] > 0)
    job = world.finish(half)
    problems += _unless(job["counts"]["done"] == len(many), f"the job that was under way: {job['counts']}")
    with _old_worker(old, world) as worker:
        third = world.submit(folder / "more")
        _until(lambda: world.job(third)["counts"]["done"] > 0)
        worker.send_signal(signal.SIGTERM)
        counts = world.finish(third)["counts"]
    problems += _unless(counts["done"] == len(more), f"the job that both versions worked at: {counts}")
    found = _found(world.stack.url)
    problems += _unless(found == len(few) + len(many) + len(more), f"{found} samples after the upgrade")
    world.stop()
    with _old_stack(old, world.data_dir) as gateway:
        back = _found(str(gateway.base_url))
        problems += _unless(back == found, f"{back} samples after going back")
        counts = _finish(gateway, _submit(gateway, folder))["counts"]
        problems += _unless(counts["failed"] == 0, f"a rescan after going back: {counts}")
    return [
        Figure(
            "upgrade",
            f"{OLD} to this version in the middle of a job, a worker of each at one job, and back",
            "; ".join(problems) or f"{found} samples, all found by their likes before, between and after",
            "nothing lost, both open the library",
            not problems,
        )
    ]


_UNHEARD: Json = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
_FOLDERS = (("few", FEW, 31), ("many", MANY, 37), ("more", MANY, 41))


def _unpacked(where: Path) -> Path:
    """The old version's tree."""
    archive = subprocess.run(["git", "archive", OLD], cwd=ROOT, check=True, capture_output=True).stdout  # noqa: S607
    with tarfile.open(fileobj=io.BytesIO(archive)) as tree:
        tree.extractall(where, filter="data")
    return where


@contextmanager
def _old_stack(tree: Path, data_dir: Path) -> Iterator[httpx.Client]:
    environment = os.environ | {"PYTHONPATH": str(tree), "SAMPLEMIND_DATA_DIR": str(data_dir)}
    with (data_dir.parent / "old-stack.log").open("ab") as log:
        stack = subprocess.Popen(
            [sys.executable, "-m", "samplemind_tasks.cli", "up"], env=environment, cwd=tree, stdout=log, stderr=log
        )
        try:
            _until(lambda: bool(read_run_file(data_dir).get("url")) and _answers(read_run_file(data_dir)["url"]))
            with httpx.Client(base_url=read_run_file(data_dir)["url"], timeout=30, trust_env=False) as gateway:
                yield gateway
        finally:
            stack.send_signal(signal.SIGINT)
            stack.wait(60)


@contextmanager
def _old_worker(tree: Path, world: World) -> Iterator["subprocess.Popen[bytes]"]:
    """One CPU worker of the old version beside those of this one."""
    settings = world.stack.settings
    urls = {name: getattr(settings, name) for name in ("redis_url", "cache_url", "mongo_url", "chroma_url")}
    environment = os.environ | {f"SAMPLEMIND_{name.upper()}": url for name, url in urls.items()}
    environment |= {"PYTHONPATH": str(tree), "SAMPLEMIND_DATA_DIR": str(settings.data_dir)}
    words = ["-m", "celery", "-A", "samplemind_tasks.queues", "worker", "-I", "samplemind_tasks.tasks.cpu"]
    words += ["-Q", "cpu,cpu.now", "-c", "1", "-n", "old@%h", "--without-gossip", "--without-mingle"]
    with subprocess.Popen([sys.executable, *words], env=environment, cwd=tree, **_UNHEARD) as worker:
        try:
            yield worker
        finally:
            worker.terminate()
            worker.wait(60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v1/health/ready", trust_env=False, timeout=5).is_success
    except httpx.HTTPError:
        return False


def _submit(gateway: httpx.Client, path: Path) -> str:
    return str(gateway.post("/v1/jobs", json={"path": str(path)}).raise_for_status().json()["id"])


def _job(gateway: httpx.Client, job: str) -> Json:
    return dict(gateway.get(f"/v1/jobs/{job}").raise_for_status().json())


def _finish(gateway: httpx.Client, job: str) -> Json:
    _until(lambda: _job(gateway, job)["state"] in ENDED)
    return _job(gateway, job)


def _found(url: str) -> int:
    """Samples that are listed and have likes."""
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as gateway:
        found, cursor = 0, None
        while True:
            page = gateway.get("/v1/samples", params={"limit": 200, "cursor": cursor} if cursor else {"limit": 200})
            rows = page.raise_for_status().json()
            for row in rows["samples"]:
                likes = gateway.get(f"/v1/samples/{row['id']}/similar", params={"limit": 1})
                found += bool(likes.is_success and likes.json()["hits"])
            if not (cursor := rows["next"]):
                return found


def _unless(kept: bool, problem: str) -> list[str]:
    return [] if kept else [problem]


def _until(reached: Any) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not reached():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.1)
