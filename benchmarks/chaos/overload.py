"""Two hundred clients submit at once: some are asked to come later, and whoever was let in is served."""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import httpx

from benchmarks.bench_mixed import BAR_MS
from benchmarks.figures import Figure
from benchmarks.material import one_shots
from benchmarks.world import World

CLIENTS, POSTS = 200, 6
POLLERS, POLL_S = 50, 20.0
FILES = 20

Json = dict[str, Any]


def overload(world: World) -> list[Figure]:
    """Every client asks for the same small folder several times in a row, while others poll."""
    folder = world.folder / "overload"
    one_shots(folder, FILES, seed=29)
    polled = world.submit(folder)
    world.finish(polled)
    wishes = world.folder / "polls.json"
    wishes.write_text(json.dumps([["poll", 1, "GET", f"/v1/jobs/{polled}", None]]))
    parts = urlsplit(world.stack.url)
    words = [parts.hostname or "", str(parts.port), str(POLLERS), str(POLL_S), "0.5", str(wishes)]
    began = time.monotonic()
    with subprocess.Popen([sys.executable, "-m", "benchmarks.mixed_load", *words], stdout=subprocess.PIPE) as polls:
        answers = asyncio.run(_crowd(world.stack.url, str(folder)))
        told = dict(json.loads(polls.communicate()[0]))
    accepted = [str(answer.json()["id"]) for answer in answers if answer.status_code == httpx.codes.ACCEPTED]
    ends = Counter(_end(world, job) for job in accepted)
    took_s = time.monotonic() - began
    statuses = Counter(answer.status_code for answer in answers)
    refused = [answer for answer in answers if answer.status_code == httpx.codes.TOO_MANY_REQUESTS]
    with_advice = sum(answer.headers.get("Retry-After", "").isdecimal() for answer in refused)
    is_kept = ends == {f"done {FILES}": len(accepted)} and statuses.keys() <= {202, 429} and len(refused) == with_advice
    return [
        Figure(
            "overload",
            f"{CLIENTS} clients submit {POSTS} jobs each at once; {POLLERS} clients poll; 1 gateway process",
            f"answers {dict(statuses)}, {with_advice} with Retry-After; of {len(accepted)} accepted:"
            f" {dict(ends)} after {took_s:.0f} s; polls P95 {told['p95_ms']:.0f} ms,"
            f" {sum(told['errors'].values())} errors",
            f"only 202 and 429, all accepted done, polls P95 < {BAR_MS:.0f} ms",
            is_kept and bool(refused) and told["p95_ms"] < BAR_MS and not told["errors"],
            {"statuses": dict(statuses), "ends": dict(ends), "polls": told, "took_s": took_s},
        )
    ]


async def _crowd(url: str, folder: str) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=CLIENTS)
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, limits=limits) as http:

        async def one() -> list[httpx.Response]:
            return [await http.post("/v1/jobs", json={"path": folder}) for _ in range(POSTS)]

        return [answer for of_one in await asyncio.gather(*(one() for _ in range(CLIENTS))) for answer in of_one]


def _end(world: World, job_id: str) -> str:
    job = world.finish(job_id, limit_s=600)
    counts = job["counts"]
    return f"{job['state']} {counts['done'] + counts['skipped']}"
