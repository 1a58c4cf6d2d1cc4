"""The AI stage through the queue beside the bare model, and what its batches are worth.

Jobs of one-shots are measured while the AI worker is stopped; then the worker goes on, and what it takes for all
windows is compared with a bare loop over copies of the same windows, run before and after. Once with the next stage
stopped too, so that the stage itself is seen; once as it is in life, where what was heard is indexed on the same cores.
"""

import json
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import material
from benchmarks.figures import Figure
from benchmarks.processes import leaders, memory_mb
from benchmarks.world import World, one_thread_each

PACE_BAR = 0.85
MEMORY_BAR_MB = 1_200.0
LIMIT_S = 600
POLL_S = 0.1

Json = dict[str, Any]


def stage(world: World) -> list[Figure]:
    """Pace, batches and memory of the AI worker."""
    count = world.sizes.trip_files
    assert world.stack
    with _stopped(world, "worker-ai"):
        job = _analyzed(world, count, seed=23)
        copies = _copies(world)
        before = bare(world, copies)
        one_by_one = bare(world, copies, batch=1)
    with _stopped(world, "worker-control"):
        alone_s = _hearing_s(world, job, count)
    _end(world, job, count)
    with _stopped(world, "worker-ai"):
        job = _analyzed(world, count, seed=24)
    beside_s = _hearing_s(world, job, count)
    _end(world, job, count)
    after = bare(world, copies)
    loop_s = statistics.fmean([before["wall_s"], after["wall_s"]])
    return [
        _pace(count, loop_s, alone_s, beside_s, before),
        _batches(before, one_by_one, after),
        _memory(memory_mb(world.data_dir)["worker-ai"]),
    ]


@contextmanager
def _stopped(world: World, service: str) -> Iterator[None]:
    """Hold a worker still meanwhile. Its leases are not missed: it has none yet."""
    worker = leaders(world.data_dir)[service]
    worker.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        worker.send_signal(signal.SIGCONT)


def _analyzed(world: World, count: int, seed: int) -> str:
    """A job of fresh one-shots whose windows wait to be heard."""
    folder = world.folder / f"to-hear-{seed}"
    material.one_shots(folder, count, seed=seed)
    job = world.submit(folder)
    _until(world, job, "analyzed", count)
    return job


def _hearing_s(world: World, job: str, count: int) -> float:
    began = time.monotonic()
    _until(world, job, "embedded", count)
    return time.monotonic() - began


def _end(world: World, job: str, count: int) -> None:
    ended = world.finish(job, every_s=POLL_S)
    assert ended["counts"]["done"] == count, ended


def bare(world: World, blobs: Path, batch: int | None = None) -> Json:
    """Run the bare loop in a process of its own."""
    words = [str(batch)] if batch else []
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.ears.bare", str(world.data_dir / "models"), str(blobs), *words],
        env=one_thread_each(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=LIMIT_S,
    )
    told: Json = json.loads(ran.stdout)
    return told


def _until(world: World, job: str, passed: str, count: int) -> None:
    deadline = time.monotonic() + LIMIT_S
    while world.job(job)["stages"][passed] < count:
        assert time.monotonic() < deadline, world.job(job)
        time.sleep(POLL_S)


def _copies(world: World) -> Path:
    """The windows that wait, copied: the worker deletes its own."""
    copies = world.folder / "windows"
    shutil.copytree(world.data_dir / "blobs" / "windows", copies)
    return copies


def _pace(count: int, loop_s: float, alone_s: float, beside_s: float, before: Json) -> Figure:
    pace = loop_s / alone_s
    return Figure(
        "AI stage",
        f"windows of {count:,} one-shots through the queue and stored, against the bare model over as many "
        "with the same batches and threads, wall clock",
        f"{pace:.2f} of the bare loop's pace ({count / alone_s:.0f} sounds/s; "
        f"{1000 * before['cpu_s'] / before['sounds']:.1f} ms CPU a sound); "
        f"{loop_s / beside_s:.2f} while what is heard is indexed on the same cores",
        f">= {PACE_BAR:.2f}",
        pace >= PACE_BAR,
        {"loop_s": loop_s, "alone_s": alone_s, "beside_s": beside_s},
    )


def _batches(before: Json, one_by_one: Json, after: Json) -> Figure:
    gain = one_by_one["cpu_s"] / statistics.fmean([before["cpu_s"], after["cpu_s"]])
    return Figure(
        "batches",
        "the batch sizes measured at start against one window at a time, CPU of the same bare loop",
        f"{gain:.2f}x ({before['batch_sizes']})",
        "never slower on a CPU",
        gain >= 0.97,
        {"before": before, "one_by_one": one_by_one, "after": after},
    )


def _memory(worker_mb: float) -> Figure:
    return Figure(
        "AI worker memory",
        "resident after the job, default model",
        f"{worker_mb:.0f} MB",
        f"< {MEMORY_BAR_MB:.0f} MB",
        worker_mb < MEMORY_BAR_MB,
    )
