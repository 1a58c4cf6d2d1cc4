"""Asking again for a library that has not changed: names, sizes and times are compared, and nothing else happens."""

import time
from statistics import median

from benchmarks import material
from benchmarks.figures import Figure
from benchmarks.world import World

BAR_PER_S = 3_000.0
FILES_PER_MESSAGE = 100
"""A message (or a Redis command) for each so many files would already be none per file."""


def rescan(world: World) -> list[Figure]:
    """A library of few distinct contents, so that analysing it at first takes little."""
    sizes, folder = world.sizes, world.folder / "library"
    material.copies(folder, sizes.rescan_files, sizes.rescan_contents)
    began = time.monotonic()
    first = world.finish(world.submit(folder), every_s=1.0)
    first_s = time.monotonic() - began
    assert first["counts"]["done"] == sizes.rescan_files, first
    analyses = world.count_documents("analyses")
    calls_before, seconds, jobs = world.redis_calls(), [], []
    for _ in range(sizes.rescans):
        began = time.monotonic()
        jobs.append(world.submit(folder))
        ended = world.finish(jobs[-1], every_s=0.05)
        seconds.append(time.monotonic() - began)
        assert ended["counts"]["skipped"] == sizes.rescan_files, ended
    calls = {name: count - calls_before.get(name, 0) for name, count in world.redis_calls().items()}
    chunks = sum(world.count_documents("chunks", {"job": job}) for job in jobs)
    made = world.count_documents("analyses") - analyses
    return [_figure(world, seconds, first_s, chunks=chunks, made=made, calls=calls)]


def _figure(
    world: World, seconds: list[float], first_s: float, *, chunks: int, made: int, calls: dict[str, int]
) -> Figure:
    sizes = world.sizes
    per_s = sizes.rescan_files / median(seconds)
    messages = calls.get("lpush", 0)
    none_per_file = messages < sizes.rescans * sizes.rescan_files / FILES_PER_MESSAGE
    return Figure(
        "rescan",
        f"{sizes.rescans} rescans of {sizes.rescan_files:,} unchanged files, from the post to the job's end, 1 scan"
        f" process (files are copies of {sizes.rescan_contents} sounds; the first job hashed them at"
        f" {sizes.rescan_files / first_s:.0f} files/s)",
        f"{per_s:,.0f} files/s (median); {chunks} chunks and {made} analyses made, {messages} messages sent and"
        f" {sum(calls.values())} Redis commands in all, the stack's own heartbeats included",
        f"> {BAR_PER_S:,.0f} files/s, 0 chunks, 0 analyses, no message per file",
        per_s > BAR_PER_S and not chunks and not made and none_per_file,
        {"seconds": seconds, "first_s": first_s, "redis_calls": {name: n for name, n in calls.items() if n}},
    )
