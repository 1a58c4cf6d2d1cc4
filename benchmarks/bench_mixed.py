"""What a hundred people's programs ask of one gateway: polls of a running job, lists, reads, and a few submits."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import material
from benchmarks.figures import Figure
from benchmarks.processes import cpu_seconds, memory_mb
from benchmarks.world import ENDED, World

BAR_MS = 150.0
BAR_MB = 250.0
CLIENTS = 100
PAUSE_S = 0.5
"""On average between two requests of one client: some 200 requests a second in all."""
PHASE_S = 15.0
LIMIT_S = 120
SAMPLES_READ = 40
Wishes = list[tuple[str, float, str, str, object]]


def mixed(world: World) -> list[Figure]:
    """On a library that is there; then the same while a job measures all of it anew."""
    folder = world.folder / "one-shots"
    if not folder.exists():
        material.one_shots(folder, world.sizes.trip_files)
    done = world.submit(folder)
    world.finish(done)
    _load(world, _written(world, done, folder), seconds=2.0)  # warm
    by_itself = _measured(world, done, folder, "nothing else runs", is_judged=True)
    job = world.submit(folder, rerun="everything")
    while world.job(job)["counts"]["done"] == 0:
        time.sleep(0.05)
    beside = _measured(world, job, folder, "a job measures it anew", is_judged=False)
    for row in world.ask("GET", "/v1/jobs?limit=200")["jobs"]:
        if row["state"] not in ENDED:
            world.ask("POST", f"/v1/jobs/{row['id']}/cancel")
            world.finish(row["id"])
    return [by_itself, beside]


def _measured(world: World, job: str, folder: Path, when: str, *, is_judged: bool) -> Figure:
    wishes, before = _written(world, job, folder), cpu_seconds(world.data_dir)
    told = _load(world, wishes, seconds=PHASE_S)
    spent = {name: (now - before.get(name, 0)) / PHASE_S for name, now in cpu_seconds(world.data_dir).items()}
    figure = _figure(world, told, memory_mb(world.data_dir)["gateway"], spent, when)
    return figure if is_judged else replace(figure, bar="", ok=None)


def _written(world: World, job: str, folder: Path) -> str:
    """The file that says what is asked for."""
    wanted = world.folder / "wishes.json"
    wanted.write_text(json.dumps(_wishes(world, job, folder)))
    return str(wanted)


def _wishes(world: World, job: str, folder: Path) -> Wishes:
    samples = [row["id"] for row in world.ask("GET", f"/v1/samples?limit={SAMPLES_READ}")["samples"]]
    each = 1 / len(samples)
    return [
        ("poll", 50, "GET", f"/v1/jobs/{job}", None),
        ("list", 8, "GET", "/v1/samples?limit=50", None),
        ("list", 6, "GET", "/v1/samples?limit=50&kind=one-shot", None),
        ("jobs", 4, "GET", "/v1/jobs?limit=20", None),
        ("stats", 2, "GET", "/v1/stats", None),
        *(("sample", 14 * each, "GET", f"/v1/samples/{name}", None) for name in samples),
        *(("peaks", 8 * each, "GET", f"/v1/samples/{name}/peaks", None) for name in samples),
        *(("audio", 6 * each, "GET", f"/v1/samples/{name}/audio", None) for name in samples),
        ("submit", 2, "POST", "/v1/jobs", {"path": str(folder)}),
    ]


def _load(world: World, wishes: str, seconds: float) -> dict[str, Any]:
    parts = urlsplit(world.stack.url)
    words = [parts.hostname or "", str(parts.port), str(CLIENTS), str(seconds), str(PAUSE_S), wishes]
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.mixed_load", *words],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=LIMIT_S,
    )
    return dict(json.loads(ran.stdout))


def _figure(world: World, told: dict[str, Any], gateway_mb: float, spent: dict[str, float], when: str) -> Figure:
    by_kind = ", ".join(f"{kind} {p95_ms:.0f}" for kind, p95_ms in sorted(told["p95_ms_by_kind"].items()))
    errors = sum(told["errors"].values())
    return Figure(
        "mixed load",
        f"{CLIENTS} clients, {PAUSE_S:g} s between their requests (half polls, a fifth lists, the rest reads, one in"
        f" fifty a submit) on a library of {world.sizes.trip_files:,} files while {when}; 1 gateway process",
        f"P95 {told['p95_ms']:.0f} ms (by kind: {by_kind}), P50 {told['p50_ms']:.0f} ms at {told['per_s']:.0f}/s,"
        f" {errors} errors; gateway {gateway_mb:.0f} MB, {spent['gateway']:.0%} of a core, MongoDB"
        f" {spent.get('mongodb', 0):.0%}",
        f"P95 < {BAR_MS:.0f} ms, 0 errors, < {BAR_MB:.0f} MB",
        told["p95_ms"] < BAR_MS and errors == 0 and gateway_mb < BAR_MB,
        {**told, "gateway_mb": gateway_mb, "cpu_shares": spent},
    )
