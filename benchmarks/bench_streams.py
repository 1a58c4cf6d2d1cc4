"""Hundreds of event streams on one job while it runs: when does each event reach the last of them?"""

import json
import subprocess
import sys
import time
from statistics import quantiles
from typing import Any
from urllib.parse import urlsplit

from benchmarks import material
from benchmarks.figures import Figure
from benchmarks.processes import cpu_seconds, memory_mb
from benchmarks.world import ENDED, World

BAR_S = 1.0
BAR_MB = 300.0
STREAMS = 500
LISTEN_S = 12.0
LIMIT_S = 120


def streams(world: World) -> list[Figure]:
    """All on one job, opened at once; after a while the job is cancelled, which ends them."""
    folder = world.folder / "one-shots"
    if not folder.exists():
        material.one_shots(folder, world.sizes.trip_files)
    job = world.submit(folder, rerun="everything")
    while world.job(job)["counts"]["done"] == 0:
        time.sleep(0.05)
    parts = urlsplit(world.stack.url)
    words = [parts.hostname or "", str(parts.port), str(STREAMS), f"/v1/jobs/{job}/events"]
    before_mb = memory_mb(world.data_dir)["gateway"]
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.stream_load", *words], stdout=subprocess.PIPE, text=True
    ) as listening:
        assert listening.stdout
        assert json.loads(listening.stdout.readline()) == {"opened": STREAMS}
        spent, until, most_mb = cpu_seconds(world.data_dir)["gateway"], time.monotonic() + LISTEN_S, 0.0
        while time.monotonic() < until:
            most_mb = max(most_mb, memory_mb(world.data_dir)["gateway"])
            time.sleep(0.25)
        spent = (cpu_seconds(world.data_dir)["gateway"] - spent) / LISTEN_S
        state = world.job(job)["state"]
        if state not in ENDED:
            world.ask("POST", f"/v1/jobs/{job}/cancel")
        world.finish(job)
        told = json.loads(listening.communicate(timeout=LIMIT_S)[0])
    return [_figure(world, told, before_mb, most_mb, spent, state)]


def _figure(world: World, told: dict[str, Any], before_mb: float, most_mb: float, spent: float, state: str) -> Figure:
    p95_s = quantiles(told["until_last_s"], n=20, method="inclusive")[-1]
    early = "" if state == "running" else f" (job {state} before the end)"
    return Figure(
        "streams",
        f"{STREAMS} event streams on one job while it runs over {world.sizes.trip_files:,} files, 1 gateway process;"
        " from a change until the last stream has it",
        f"{told['reached_all']} of {told['events']} events reached all; until the last P95 {p95_s:.2f} s, worst"
        f" {told['worst_s']:.2f} s, one stream P50 {told['each_p50_s']:.2f} s; gateway {before_mb:.0f} -> {most_mb:.0f}"
        f" MB, {spent:.0%} of a core; {told['ended_with_done']} ended with done{early}",
        f"worst < {BAR_S:g} s, < {BAR_MB:.0f} MB",
        told["worst_s"] < BAR_S and most_mb < BAR_MB and told["ended_with_done"] == STREAMS,
        {**told, "gateway_mb_before": before_mb, "gateway_mb": most_mb, "gateway_cpu_share": spent},
    )
