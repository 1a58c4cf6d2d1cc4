"""A job of many one-shots: what everything around the stages costs, and what memory it takes."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import material
from benchmarks.baseline_result import Spent
from benchmarks.figures import Figure
from benchmarks.processes import CpuSeconds, cpu_seconds, in_words, memory_mb, own_seconds, used_between
from benchmarks.world import Json, World, one_thread_each

CONTROL_BAR_MS = 10.0
PACE_BAR = 0.80
CHILD_BAR_MB, GATEWAY_BAR_MB, AI_BAR_MB = 450.0, 200.0, 1_200.0
FLAT = 1.10
"""A child may hold this many times what it held half-way."""
POLL_S = 0.5
LIMIT_S = 300


@dataclass
class Watched:
    """What was seen during a job."""

    half: int
    wall_s: float = 0.0
    client_cpu_s: float = 0.0
    used: CpuSeconds = field(default_factory=dict)
    memory_half: dict[str, float] = field(default_factory=dict)
    memory_end: dict[str, float] = field(default_factory=dict)


def trip(world: World) -> list[Figure]:
    """Half of the baseline before and half after, so that a machine that changes its pace does so for both."""
    paths = material.one_shots(world.folder / "one-shots", world.sizes.trip_files)
    assert world.stack
    before = baseline(world, paths[::2])
    watched = _job(world, world.folder / "one-shots")
    after = baseline(world, paths[1::2])
    return [*_costs(world, before.plus(after), watched), _memory(world, watched)]


def baseline(world: World, paths: list[Path]) -> Spent:
    """The stages alone, in two plain processes."""
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.baseline", str(world.data_dir / "models")],
        env=one_thread_each(),
        input="\n".join(map(str, paths)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=LIMIT_S,
    )
    return Spent(**json.loads(ran.stdout))


def _job(world: World, folder: Path) -> Watched:
    watched = Watched(half=world.sizes.trip_files // 2)

    def look(job: Json) -> None:
        if not watched.memory_half and job["counts"]["done"] >= watched.half:
            watched.memory_half = memory_mb(world.data_dir)

    cpu_before, own_before, began = cpu_seconds(world.data_dir), own_seconds(), time.monotonic()
    ended = world.finish(world.submit(folder), every_s=POLL_S, look=look)
    watched.wall_s = time.monotonic() - began
    watched.client_cpu_s = own_seconds() - own_before
    watched.used = used_between(cpu_before, cpu_seconds(world.data_dir))
    watched.memory_end = memory_mb(world.data_dir)
    assert ended["counts"]["done"] == world.sizes.trip_files, ended
    return watched


def _costs(world: World, pure: Spent, watched: Watched) -> list[Figure]:
    files, total_s = world.sizes.trip_files, sum(watched.used.values())
    control_ms = 1000 * (total_s - pure.analyze_cpu_s - pure.embed_cpu_s) / files
    around = watched.used | {
        "worker-cpu": watched.used["worker-cpu"] - pure.analyze_cpu_s,
        "worker-ai": watched.used["worker-ai"] - pure.embed_cpu_s,
    }
    each_ms = {name: 1000 * seconds / files for name, seconds in sorted(around.items(), key=lambda row: -row[1])}
    stages = f"analyze {1000 * pure.analyze_cpu_s / files:.1f} ms, embed {1000 * pure.embed_cpu_s / files:.1f} ms"
    values: dict[str, object] = {
        "pure": vars(pure), "used_s": watched.used, "each_ms": each_ms, "wall_s": watched.wall_s,
        "bench_cpu_s": watched.client_cpu_s,
    }  # fmt: skip
    pace = pure.wall_s / watched.wall_s
    return [
        Figure(
            "control plane",
            f"CPU of all processes of the stack in a job of {files:,} unique one-shots, less the stages' own code as"
            f" measured in 2 plain processes of 1 thread ({stages} CPU a file)",
            f"{control_ms:.1f} ms a one-shot ({in_words(each_ms, ' ms', 0.1)})",
            f"< {CONTROL_BAR_MS:.0f} ms",
            control_ms < CONTROL_BAR_MS,
            values,
        ),
        Figure(
            "pace",
            f"the whole trip (CPU worker of {world.cpu_children} children, AI worker, each 1 numeric thread) against"
            " the stages alone in 2 plain processes (1 analysing, 1 hearing), wall clock",
            f"{pace:.2f} of the baseline's pace ({files / watched.wall_s:.1f} files/s, {watched.wall_s:.1f} s against"
            f" {pure.wall_s:.1f} s)",
            f">= {PACE_BAR:.2f}",
            pace >= PACE_BAR,
            values,
        ),
    ]


def _memory(world: World, watched: Watched) -> Figure:
    children = _children(watched.memory_end)
    then = _children(watched.memory_half)
    recycled = len(children.keys() - then.keys())
    growth = max(children.values()) / max(then.values())
    gateway, ai = watched.memory_end["gateway"], watched.memory_end["worker-ai"]
    ok = max(children.values()) < CHILD_BAR_MB and growth < FLAT and gateway < GATEWAY_BAR_MB and ai < AI_BAR_MB
    return Figure(
        "memory",
        f"resident after {world.sizes.trip_files:,} files, and of the CPU children after half of them",
        f"largest of {len(children)} CPU children {max(children.values()):.0f} MB (half-way"
        f" {max(then.values()):.0f}: x{growth:.2f}; recycled between: {recycled}), gateway {gateway:.0f} MB,"
        f" AI worker {ai:.0f} MB; all processes {sum(watched.memory_end.values()):.0f} MB",
        f"child < {CHILD_BAR_MB:.0f} and flat (x{FLAT:.2f}), gateway < {GATEWAY_BAR_MB:.0f}, AI < {AI_BAR_MB:.0f} MB",
        ok,
        {"half_way_mb": watched.memory_half, "end_mb": watched.memory_end},
    )


def _children(memory: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in memory.items() if name.startswith("cpu-child")}
