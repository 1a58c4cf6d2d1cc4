"""A job of 300,000 files beside one of 3,000: what is asked of it must not take longer.

The files are empty: a worker opens each and finds nothing in it, so that what is measured is the trip and not the
analysis.
"""

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.figures import Figure
from benchmarks.material import empties
from benchmarks.world import World

SMALL, LARGE = 3_000, 300_000
SLOWER = 2.0
"""A large job's answers may take this many times as long as a small one's."""
LEAST_MS = 20.0
"""Below this nobody asks for a ratio."""
PAGES = 9
CANCEL_AT = 0.05

Json = dict[str, Any]


@dataclass
class Asked:
    """How long it took."""

    files_per_s: float = 0.0
    poll_p95_ms: float = 0.0
    page_ms: float = 0.0
    """A page of failures, median of the first few."""
    retry_ms: float = 0.0
    """For each thousand files that the request took up: one takes no more than some."""
    cancel_ms: float = 0.0
    cancelled_s: float = 0.0
    """Until nothing of it was at work."""


def items(world: World, large: int = LARGE) -> list[Figure]:
    """The small one first, on the same stack."""
    small = _ask_all(world, SMALL)
    big = _ask_all(world, large)
    rows = [
        ("polls, P95", small.poll_p95_ms, big.poll_p95_ms),
        ("a page of failures", small.page_ms, big.page_ms),
        ("retry, a thousand failures", small.retry_ms, big.retry_ms),
        ("cancel", small.cancel_ms, big.cancel_ms),
    ]
    figures = [
        Figure(
            f"{large:,} items: {name}",
            f"against a job of {SMALL:,}",
            f"{now:.0f} ms, {now / max(then, 0.1):.1f} times {then:.0f} ms",
            f"at most {SLOWER:g} times, or < {LEAST_MS:.0f} ms",
            now < max(LEAST_MS, SLOWER * then),
            {"small": asdict(small), "large": asdict(big)},
        )
        for name, then, now in rows
    ]
    slower = small.files_per_s / big.files_per_s
    return [
        *figures,
        Figure(
            f"{large:,} items: dispatch",
            f"files a second through scan, dispatch and report, against a job of {SMALL:,}",
            f"{big.files_per_s:.0f}/s, {small.files_per_s:.0f}/s; cancelled within {big.cancelled_s:.1f} s"
            f" ({small.cancelled_s:.1f} s)",
            f"at most {SLOWER:g} times slower",
            slower < SLOWER,
        ),
    ]


def _ask_all(world: World, count: int) -> Asked:
    folder, asked = world.folder / f"items-{count}", Asked()
    empties(folder, count)
    polls: list[float] = []
    began = time.monotonic()
    job_id = world.submit(folder)
    while world.job(job_id)["state"] not in ("done", "failed"):
        polls.append(_milliseconds(world, "GET", f"/v1/jobs/{job_id}"))
        time.sleep(0.1)
    asked.files_per_s = count / (time.monotonic() - began)
    asked.poll_p95_ms = float(np.percentile(polls, 95))
    counts = world.job(job_id)["counts"]
    assert counts["failed"] == counts["found"] == count, counts
    page = f"/v1/jobs/{job_id}/failures?limit=100"
    asked.page_ms = float(np.median([_milliseconds(world, "GET", page) for _ in range(PAGES)]))
    began = time.monotonic()
    retried = world.ask("POST", f"/v1/jobs/{job_id}/retry", {})
    took_ms = 1000 * (time.monotonic() - began)
    asked.retry_ms = took_ms / world.finish(str(retried["id"]))["counts"]["found"] * 1000
    again = world.submit(folder, rerun="everything")
    while world.job(again)["counts"]["failed"] < CANCEL_AT * count:
        time.sleep(0.05)
    began = time.monotonic()
    asked.cancel_ms = _milliseconds(world, "POST", f"/v1/jobs/{again}/cancel")
    world.finish(again)
    asked.cancelled_s = time.monotonic() - began
    return asked


def _milliseconds(world: World, method: str, path: str) -> float:
    began = time.monotonic()
    world.ask(method, path)
    return 1000 * (time.monotonic() - began)
