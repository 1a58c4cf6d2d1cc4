"""What all workers together have done: counters that outlive the process that counted.

They lie in the broker's Redis, which keeps them over restarts, as whole numbers of one hash; so all workers on all
hosts count into one, and whoever reads has the truth. A change is counted where its compare-and-set succeeded: a
message that comes twice counts once. Names are made of stages, codes and sizes, never of people or files.
"""

from bisect import bisect_left
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from samplemind_tasks.store.chunks import Chunk, Stage
from samplemind_tasks.store.jobs import ScanProgress

KEY = "tally"
BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper ends of the ranges that chunks' times are sorted into. A chunk is cut to be about two seconds of work."""
SCAN = "scan"
OK, SKIPPED = "ok", "skipped"
POSTPONED, FAULT, LEASE_LOST = "postponed", "fault", "lease_lost"


class Tally:
    """Counts what a worker did. Redis being away costs a count, never the work."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def passed(self, before: Chunk, after: Chunk) -> None:
        """A chunk has ended a stage: its files by what became of them."""
        self._add(_named("files", before.stage.value, outcomes(before, after)))

    def listed(self, before: ScanProgress, after: ScanProgress, chunks: Iterable[Chunk]) -> None:
        """A slice of a folder has been listed."""
        counts = {code: count - before.failed.get(code, 0) for code, count in after.failed.items()}
        counts |= {OK: sum(len(chunk.places) for chunk in chunks), SKIPPED: after.skipped - before.skipped}
        self._add(_named("files", SCAN, counts))

    def worked(self, stage: Stage, seconds: float, windows: int = 0) -> None:
        """A worker has had a chunk in its hands for so long, and the model has heard so many windows."""
        bucket = bisect_left(BUCKETS_S, seconds)
        times = {f"bucket{bucket}": 1, "sum_ms": round(seconds * 1000)}
        self._add(_named("times", stage.value, times) | {"windows::": windows})

    def troubled(self, stage: Stage, trouble: str) -> None:
        """A stage did not end: a store was away, a fault of ours, a lease that was taken away."""
        self._add(_named("troubles", stage.value, {trouble: 1}))

    def _add(self, amounts: Mapping[str, int]) -> None:
        adding = self._redis.pipeline(transaction=False)
        for name, amount in amounts.items():
            if amount > 0:
                adding.hincrby(KEY, name, amount)
        try:
            adding.execute()
        except RedisError:
            return


def outcomes(before: Chunk, after: Chunk) -> dict[str, int]:
    """Files of a chunk by what became of them in the stage that lies between its two states."""
    known = {row.place for row in before.failures}
    counts = {OK: len(after.places) - len(after.failures) - after.dropped}
    for row in after.failures:
        if row.place not in known:
            counts[row.code.value] = counts.get(row.code.value, 0) + 1
    return counts


def _named(what: str, of: str, counts: Mapping[str, int]) -> dict[str, int]:
    return {f"{what}:{of}:{name}": count for name, count in counts.items()}


# --------------------------------------------------------------------------------------------------- the gateway's side


@dataclass
class Times:
    """How long chunks took in a stage."""

    sum_s: float = 0.0
    in_buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    """One more than `BUCKETS_S`: the last holds what took longer than all."""


@dataclass
class Tallied:
    """Everything that has been counted."""

    files: dict[tuple[str, str], int] = field(default_factory=dict)
    """By stage and outcome."""
    troubles: dict[tuple[str, str], int] = field(default_factory=dict)
    """By stage and trouble."""
    times: dict[str, Times] = field(default_factory=dict)
    """By stage."""
    windows: int = 0


async def read_tally(redis: AsyncRedis) -> Tallied:
    """What has been counted until now; RedisError when Redis does not answer."""
    return parse_tally(await cast("Awaitable[dict[str, str]]", redis.hgetall(KEY)))


def parse_tally(fields: Mapping[str, str]) -> Tallied:
    """The counters from the fields of their hash. What another version counts is left out."""
    tallied = Tallied()
    for name, text in fields.items():
        what, of, which = (*name.split(":"), "", "")[:3]
        if what == "files":
            tallied.files[of, which] = int(text)
        elif what == "troubles":
            tallied.troubles[of, which] = int(text)
        elif what == "times":
            times = tallied.times.setdefault(of, Times())
            bucket = which.removeprefix("bucket")
            if which == "sum_ms":
                times.sum_s = int(text) / 1000
            elif bucket.isdecimal() and int(bucket) < len(times.in_buckets):
                times.in_buckets[int(bucket)] = int(text)
        elif what == "windows":
            tallied.windows = int(text)
    return tallied
