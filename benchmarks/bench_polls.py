"""Status polls while a job runs, beside an endpoint that does nothing, asked by the same clients in turns."""

import json
import subprocess
import sys
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from benchmarks import material
from benchmarks.figures import Figure
from benchmarks.world import ENDED, World

BAR_MS = 150.0
BAR_RATIO = 3.0
LIMIT_S = 120
LIVE = "/v1/health/live"


def polls(world: World) -> list[Figure]:
    """Fifty clients without a pause between their requests."""
    sizes, folder = world.sizes, world.folder / "one-shots"
    if not folder.exists():
        material.one_shots(folder, sizes.trip_files)
    job = world.submit(folder, rerun="everything")
    while world.job(job)["counts"]["done"] == 0:
        pass
    path = f"/v1/jobs/{job}"
    phases = _load(world, [LIVE, path] * sizes.poll_rounds)
    at_the_end = world.job(job)
    if at_the_end["state"] not in ENDED:
        world.ask("POST", f"{path}/cancel")
        world.finish(job)
    live, polled = ([row for row in phases if row["path"] == wanted] for wanted in (LIVE, path))
    return [_figure(world, live, polled, at_the_end)]


def _load(world: World, paths: list[str]) -> list[dict[str, Any]]:
    parts, sizes = urlsplit(world.stack.url), world.sizes
    words = [parts.hostname or "", str(parts.port), str(sizes.clients), str(sizes.poll_phase_s), *paths]
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", *words],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=LIMIT_S,
    )
    return list(json.loads(ran.stdout))


def _figure(
    world: World, live: list[dict[str, Any]], polled: list[dict[str, Any]], at_the_end: dict[str, Any]
) -> Figure:
    p95_ms, empty_ms = (median(row["p95_ms"] for row in rows) for rows in (polled, live))
    per_s, empty_per_s = (median(row["per_s"] for row in rows) for rows in (polled, live))
    ratio = p95_ms / empty_ms
    running = "" if at_the_end["state"] == "running" else f" (job {at_the_end['state']} before the end)"
    client = median(row["client_cpu_share"] for row in (*live, *polled))
    return Figure(
        "polls",
        f"GET of a job while it runs over {world.sizes.trip_files:,} files; {world.sizes.clients} clients without"
        f" pauses, 1 process of 1 thread; baseline: {LIVE} of the same gateway (1 process), in turns of"
        f" {world.sizes.poll_phase_s:.0f} s",
        f"P95 {p95_ms:.0f} ms at {per_s:.0f}/s; empty endpoint {empty_ms:.0f} ms at {empty_per_s:.0f}/s: {ratio:.1f}x;"
        f" the client used {client:.0%} of a core{running}",
        f"P95 < {BAR_MS:.0f} ms, < {BAR_RATIO:.0f}x",
        p95_ms < BAR_MS and ratio < BAR_RATIO,
        {"polls": polled, "live": live, "ratio": ratio},
    )
