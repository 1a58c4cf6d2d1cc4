"""A large folder in one go: nothing grows that has no reason to."""

import time
from collections import defaultdict
from typing import Any

import psutil
from redis import Redis

from benchmarks.figures import Figure
from benchmarks.material import one_shots
from benchmarks.processes import leaders
from benchmarks.world import World

FILES = 20_000
WARM_FILES = 2_000
LOOK_EVERY_S = 2.0
LEAST_LOOKS = 10
MORE_MB, MORE_SHARE = 25.0, 0.10
"""By so much a process may be larger at the end than it was when warm."""
MORE_FILES = 8
HOLDING_DATA = {"mongodb", "redis", "chroma", "gateway"}
"""Larger with the library: what they hold is told for each sample, and not judged here."""

Look = dict[str, tuple[float, int]]
"""Of each process: resident megabytes, and open files and sockets."""


def soak(world: World, files: int = FILES) -> list[Figure]:
    """Analyse so many one-shots while everything is looked at."""
    folder = world.folder / "soak"
    one_shots(folder, files, seed=23)
    looks: list[tuple[int, Look, int]] = []
    last = [0.0]

    def look(job: dict[str, Any]) -> None:
        if time.monotonic() - last[0] > LOOK_EVERY_S:
            last[0] = time.monotonic()
            looks.append((job["counts"]["done"], _processes(world), _lasting_keys(world)))

    began = time.monotonic()
    job = world.finish(world.submit(folder), limit_s=3600, look=look)
    took_s = time.monotonic() - began
    warm = [row for row in looks if WARM_FILES <= row[0] <= 2 * WARM_FILES][:LEAST_LOOKS]
    late = looks[-LEAST_LOOKS:]
    return [_figure(files, took_s, job["counts"]["done"], warm, late)]


def _processes(world: World) -> Look:
    found: Look = {}
    for name, leader in leaders(world.data_dir).items():
        family = {name: leader} | {f"{name} {child.pid}": child for child in leader.children(recursive=True)}
        for title, process in family.items():
            try:
                found[title] = (process.memory_info().rss / 1e6, process.num_fds())
            except psutil.Error:
                continue
    return found


def _lasting_keys(world: World) -> int:
    """Keys that do not expire: the result of each task is there for some minutes, however many there are."""
    settings, lasting = world.stack.settings, 0
    for url in (settings.redis_url, settings.cache_url):
        with Redis.from_url(url) as redis, redis.pipeline(transaction=False) as pipe:
            for key in redis.scan_iter(count=1_000):
                pipe.ttl(key)
            lasting += pipe.execute().count(-1)
    return lasting


def _highest(looks: list[tuple[int, Look, int]]) -> Look:
    """By service, its children together under the highest of them: they may be replaced on the way."""
    found: dict[str, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
    for _, look, _ in looks:
        for title, (megabytes, files) in look.items():
            name = title.split(" ")[0] + (" child" if " " in title else "")
            found[name] = (max(found[name][0], megabytes), max(found[name][1], files))
    return dict(found)


def _figure(
    files: int, took_s: float, done: int, warm: list[tuple[int, Look, int]], late: list[tuple[int, Look, int]]
) -> Figure:
    before, after = _highest(warm), _highest(late)
    grown = {
        name: (before[name][0], after[name][0], after[name][1] - before[name][1]) for name in before if name in after
    }
    too_large = [
        name
        for name, (then, now, more_files) in grown.items()
        if (name not in HOLDING_DATA and now > then * (1 + MORE_SHARE) + MORE_MB) or more_files > MORE_FILES
    ]
    keys = (max(row[2] for row in warm), max(row[2] for row in late))
    told = ", ".join(f"{name} {then:.0f} to {now:.0f}" for name, (then, now, _) in sorted(grown.items()))
    return Figure(
        "soak",
        f"{files:,} one-shots in one job, {took_s:.0f} s; after {WARM_FILES:,} and at the end",
        f"{done:,} done; megabytes: {told}; keys without an end in both Redis {keys[0]} to {keys[1]}"
        + (f"; too large: {', '.join(too_large)}" if too_large else "; no process with more files or sockets"),
        f"workers within {MORE_SHARE:.0%} and {MORE_MB:.0f} MB, no more keys without an end, files or sockets",
        done == files and not too_large and keys[1] <= keys[0] * 1.1,
        {"took_s": took_s, "grown": grown, "keys": keys},
    )
