"""POST /v1/jobs for a large folder: the answer must not depend on how many files it holds."""

import statistics
import time

from benchmarks import material
from benchmarks.figures import Figure
from benchmarks.world import World

BAR_MS = 50.0


def submit(world: World) -> list[Figure]:
    """Post the folder several times, while the scan of the first is at work; then cancel."""
    sizes, folder = world.sizes, world.folder / "many"
    material.empties(folder, sizes.submit_files)
    world.ask("GET", "/v1/jobs?limit=1")
    jobs, milliseconds = [], []
    for _ in range(sizes.submit_posts):
        began = time.perf_counter()
        jobs.append(world.submit(folder))
        milliseconds.append(1000 * (time.perf_counter() - began))
    for job in jobs:
        world.ask("POST", f"/v1/jobs/{job}/cancel")
    states = {world.finish(job)["state"] for job in jobs}
    median, worst = statistics.median(milliseconds), max(milliseconds)
    return [
        Figure(
            "submit",
            f"{sizes.submit_posts} posts of a job for a folder of {sizes.submit_files:,} files, one connection, 1"
            " gateway process; the first job's scan runs meanwhile",
            f"median {median:.1f} ms, max {worst:.1f} ms; then all {', '.join(sorted(states))}",
            f"each < {BAR_MS:.0f} ms",
            worst < BAR_MS,
            {"milliseconds": milliseconds},
        )
    ]
