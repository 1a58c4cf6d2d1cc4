"""A job's progress as a view in Redis: one round trip to read, rebuilt from MongoDB when lost.

Each part of a job (its scan, each chunk) reports what it contributes in absolute numbers together with its revision.
A script in Redis replaces the part's old contribution by the new one if the revision is newer, and adjusts the sums by
the difference. A report may therefore come twice, late or from a recount, and the sums are still right; and since each
contribution is balanced, found = waiting + leased + done + failed + skipped + cancelled at every poll. What changes the
view is noted in the user's log of events by the same script.
"""

import time
from collections.abc import Awaitable, Iterable
from datetime import datetime
from typing import NamedTuple, cast

import orjson
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from samplemind_tasks.errors import StoreUnavailable
from samplemind_tasks.schemas import TERMINAL_STATES, Counts, Job, JobKind, JobState, Problem, StageCounts
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.chunks import Chunk, ChunkState, Stage
from samplemind_tasks.store.jobs import JobRecord, ScanProgress
from samplemind_tasks.store.view_scripts import NOTE, REPORT

FINISHED_VIEW_SECONDS = 24 * 3600
"""How long the view of a finished job is kept; later it is read from MongoDB."""
WAITING_NOTE_SECONDS = 15
"""A note such as "waiting for chroma" is believed for this long."""


class View(NamedTuple):
    """What a poll reads."""

    user_id: str
    version: int
    """Of its last change in the user's log of events: it grows with every change."""
    job: Job


def connect_redis(url: str, settings: Settings) -> Redis:
    """Redis for workers. One more try at once is enough for a stale connection; an absence is told, not waited out."""
    return Redis.from_url(
        url, max_connections=settings.redis_pool_max, socket_connect_timeout=3, socket_timeout=5,
        decode_responses=True, health_check_interval=15, retry=Retry(NoBackoff(), 1),
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------ what a part is worth


def chunk_contribution(chunk: Chunk) -> dict[str, int]:
    """What a chunk adds to its job's counts. Always balanced: found is the sum of the states."""
    spun_off = sum(len(row.places) for row in chunk.spin_offs)
    failed = len(chunk.failures)
    moving = len(chunk.places) - failed - chunk.dropped
    state = {
        ChunkState.WAITING: "waiting",
        ChunkState.LEASED: "leased",
        ChunkState.DONE: "done",
        ChunkState.CANCELLED: "cancelled",
    }[chunk.state]
    counts = {"found": len(chunk.places) + spun_off, "failed": failed, "cancelled": chunk.dropped, "waiting": spun_off}
    counts[state] = counts.get(state, 0) + moving
    if chunk.stage is not Stage.ANALYZE:
        counts["analyzed"] = moving
    if chunk.stage in (Stage.INDEX, Stage.FINISHED):
        counts["embedded"] = moving
    if chunk.stage is Stage.FINISHED and chunk.state is ChunkState.DONE:
        counts["indexed"] = moving
    for failure in chunk.failures:
        name = f"failure:{failure.code.value}"
        counts[name] = counts.get(name, 0) + 1
    return {name: count for name, count in counts.items() if count}


def scan_contribution(scan: ScanProgress) -> dict[str, int]:
    """What the listing adds: places that never became part of a chunk."""
    failed = sum(scan.failed.values())
    counts = {
        "found": scan.skipped + failed + len(scan.unsettled) + scan.cancelled,
        "skipped": scan.skipped,
        "failed": failed,
        "waiting": len(scan.unsettled),
        "cancelled": scan.cancelled,
        "failed_before": scan.failed_before,
        **{f"failure:{code}": count for code, count in scan.failed.items()},
    }
    return {name: count for name, count in counts.items() if count}


def totals(scan: ScanProgress, chunks: Iterable[Chunk]) -> tuple[Counts, StageCounts, dict[str, int]]:
    """Counts, stage counts and failures by code, straight from the documents."""
    sums: dict[str, int] = {}
    for part in (scan_contribution(scan), *map(chunk_contribution, chunks)):
        for name, count in part.items():
            sums[name] = sums.get(name, 0) + count
    return _split(sums)


def _split(sums: dict[str, int]) -> tuple[Counts, StageCounts, dict[str, int]]:
    counts = Counts(**{name: sums.get(name, 0) for name in Counts.model_fields})
    stages = StageCounts(**{name: sums.get(name, 0) for name in StageCounts.model_fields})
    prefix = "failure:"
    failures = {name.removeprefix(prefix): count for name, count in sums.items() if name.startswith(prefix) and count}
    return counts, stages, dict(sorted(failures.items()))


def _base(job: JobRecord) -> dict[str, str]:
    """The fields of the view that are not counts."""
    return {
        "user_id": job.user_id,
        "kind": job.kind.value,
        "state": job.shown_state.value,
        "path": job.path or "",
        "created_at": job.created_at.isoformat(),
        "finished_at": job.finished_at.isoformat() if job.finished_at else "",
        "scan_done": "1" if job.scan.done else "",
        "retry_of": job.retry_of or "",
        "problem": job.problem.model_dump_json() if job.problem else "",
    }


def _arguments(job: JobRecord | None, chunks: Iterable[Chunk], *, rebuild: bool = False) -> list[str]:
    arguments = [repr(time.time()), "rebuild" if rebuild else "", orjson.dumps(_base(job)).decode() if job else ""]
    if job:
        arguments += ["scan", str(job.scan.rev), orjson.dumps(scan_contribution(job.scan)).decode()]
    for chunk in chunks:
        arguments += [chunk.id, str(chunk.rev), orjson.dumps(chunk_contribution(chunk)).decode()]
    return arguments


def _keys(job_id: str) -> list[str]:
    return [f"job:{job_id}", f"job:{job_id}:parts"]


# --------------------------------------------------------------------------------------------------- the workers' side


class Progress:
    """Writes the view. Redis being away is nobody's failure: the view is rebuilt when it is back."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._script = redis.register_script(REPORT)
        self._note = redis.register_script(NOTE)

    def report(self, job_id: str, chunks: Iterable[Chunk] = (), job: JobRecord | None = None) -> bool:
        """Tell what changed (of the job itself too, where it is given); False when there is no view to tell."""
        try:
            return bool(self._script(keys=_keys(job_id), args=_arguments(job, chunks)))
        except RedisError:
            return False

    def rebuild(self, job: JobRecord, chunks: Iterable[Chunk]) -> bool:
        """Write the whole view from the documents; False when Redis is away. Newer reports in between stand."""
        try:
            self._script(keys=_keys(job.id), args=_arguments(job, chunks, rebuild=True))
            if job.state in TERMINAL_STATES:
                for key in _keys(job.id):
                    self._redis.expire(key, FINISHED_VIEW_SECONDS)
        except RedisError:
            return False
        return True

    def exists(self, job_id: str) -> bool:
        """Whether there is a view; True when Redis cannot be asked, since nothing could be done about it."""
        try:
            return bool(self._redis.exists(_keys(job_id)[0]))
        except RedisError:
            return True

    def read(self, job_id: str) -> View | None:
        """The view, or None when it is lost."""
        try:
            return parse_view(job_id, cast("dict[str, str]", self._redis.hgetall(_keys(job_id)[0])))
        except RedisError as error:
            raise StoreUnavailable("redis", str(error)[:200]) from error

    def waiting_for(self, job_id: str, what: str) -> None:
        """Note that the job waits for a store, a model or a queue."""
        try:
            self._note(keys=_keys(job_id)[:1], args=[what, repr(time.time() + WAITING_NOTE_SECONDS)])
        except RedisError:
            return

    def waits_no_more(self, job_id: str, what: str) -> None:
        """Take the note of this away, where it is the one that stands."""
        try:
            self._note(keys=_keys(job_id)[:1], args=["", "0", what])
        except RedisError:
            return


# --------------------------------------------------------------------------------------------------- the gateway's side


async def read_view(redis: AsyncRedis, job_id: str) -> View | None:
    """The view in one round trip, or None when it is lost or never was."""
    try:
        fields = await cast("Awaitable[dict[str, str]]", redis.hgetall(_keys(job_id)[0]))
    except RedisError as error:
        raise StoreUnavailable("redis", str(error)[:200]) from error
    return parse_view(job_id, fields)


async def rebuild_view(redis: AsyncRedis, job: JobRecord, chunks: Iterable[Chunk]) -> None:
    """Write the whole view from the documents, as `Progress.rebuild` does."""
    try:
        await redis.register_script(REPORT)(keys=_keys(job.id), args=_arguments(job, chunks, rebuild=True))
        if job.state in TERMINAL_STATES:
            for key in _keys(job.id):
                await redis.expire(key, FINISHED_VIEW_SECONDS)
    except RedisError as error:
        raise StoreUnavailable("redis", str(error)[:200]) from error


async def waits_no_more(redis: AsyncRedis, job_id: str, what: str) -> None:
    """Take back that the job waits for something, if that is what it was said to wait for."""
    try:
        await redis.register_script(NOTE)(keys=_keys(job_id)[:1], args=["", "0", what])
    except RedisError:
        return  # the note expires by itself


def parse_view(job_id: str, fields: dict[str, str]) -> View | None:
    """A view from the fields of its hash; None when it is empty or half there."""
    if "user_id" not in fields:
        return None
    sums = {name: int(value) for name, value in fields.items() if name.startswith("failure:") or name in _COUNTED}
    counts, stages, failures = _split(sums)
    state = JobState(fields["state"])
    rate = _rate_per_s(fields, counts) if state is JobState.RUNNING else None
    left = counts.waiting + counts.leased
    may_wait = state in (JobState.QUEUED, JobState.RUNNING)
    waiting = may_wait and float(fields.get("waiting_until", "0")) > time.time()
    job = Job(
        id=job_id,
        kind=JobKind(fields["kind"]),
        state=state,
        path=fields["path"] or None,
        created_at=datetime.fromisoformat(fields["created_at"]),
        finished_at=datetime.fromisoformat(fields["finished_at"]) if fields["finished_at"] else None,
        counts=counts,
        stages=stages,
        failures=failures,
        failed_before=sums.get("failed_before", 0),
        scan_done=bool(fields["scan_done"]),
        rate_per_s=rate,
        eta_s=left / rate if rate and fields["scan_done"] else None,
        waiting_for=fields["waiting_for"] if waiting else None,
        problem=Problem.model_validate_json(fields["problem"]) if fields["problem"] else None,
        retry_of=fields["retry_of"] or None,
    )
    return View(fields["user_id"], int(fields.get("version", "0")), job)


_COUNTED = frozenset({*Counts.model_fields, *StageCounts.model_fields, "failed_before"})


def _rate_per_s(fields: dict[str, str], counts: Counts) -> float | None:
    """Places finished per second since the mark before last: a window of 10 to 20 s."""
    if "before_at" not in fields:
        return None
    elapsed_s = time.time() - float(fields["before_at"])
    finished = counts.done + counts.failed - int(fields["before_finished"])
    return finished / elapsed_s if elapsed_s > 1 and finished > 0 else None


def job_from_record(job: JobRecord) -> Job:
    """A finished job straight from its document, when its view has expired."""
    final = job.final or {"counts": {}, "stages": {}, "failures": {}}
    return Job(
        id=job.id, kind=job.kind, state=job.shown_state, path=job.path, created_at=job.created_at,
        finished_at=job.finished_at, counts=Counts(**final["counts"]), stages=StageCounts(**final["stages"]),
        failures=final["failures"], failed_before=job.scan.failed_before, scan_done=job.scan.done,
        rate_per_s=None, eta_s=None, waiting_for=None,
        problem=job.problem, retry_of=job.retry_of,
    )  # fmt: skip
