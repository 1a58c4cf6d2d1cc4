"""What nobody is doing: found by looking again and again, and set going.

Idempotent, and judged on the reconciler's own clock.

A lease whose heartbeat stands still for several looks is taken away. An attempt is counted only against the file the
dead worker had begun; that file goes alone into a chunk of its own and the others go on in two. A chunk that waits
without moving is sent again when the broker can not be holding its message any more. A message that a worker took and
does not work on goes back to its queue, where it finds its work done, or does it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from samplemind_tasks.errors import FailureCode, StoreUnavailable
from samplemind_tasks.logs import get_log
from samplemind_tasks.pipeline import (
    STAGES,
    close,
    complete_spin_offs,
    dispatch,
    finish_if_done,
    let_go,
    send,
    tell_end,
)
from samplemind_tasks.planning import current_versions
from samplemind_tasks.queues import Queue
from samplemind_tasks.queues import send as send_task
from samplemind_tasks.schemas import LISTED_KINDS, Failure
from samplemind_tasks.store.chunks import Chunk, ChunkState, SpinOff, Stage
from samplemind_tasks.store.jobs import JobRecord
from samplemind_tasks.store.marks import Mark
from samplemind_tasks.store.stores import Stores
from samplemind_tasks.store.tally import LEASE_LOST

log = get_log(__name__)

ATTEMPTS = 3
"""Deaths of a worker that one file may cause before it is set aside."""
HELD_SECONDS = 60.0
"""A worker holds a message for longer than this only while it works on a chunk."""
FAULTS = 3
"""Times a stage may fail as a whole by a fault of ours."""


def reconcile(stores: Stores) -> None:
    """Look at every open job once."""
    standing: list[Chunk] = []
    at_work: set[str] = set()
    for job in stores.jobs.open_jobs():
        if not stores.progress.exists(job.id):
            stores.progress.rebuild(job, stores.chunks.of_job(job.id, job.scan))
        stores.progress.report(job.id, (), job)
        flying = stores.chunks.in_flight(job.id)
        at_work |= {chunk.id for chunk in flying if chunk.state is ChunkState.LEASED}
        for chunk in flying:
            if chunk.spin_offs:
                complete_spin_offs(stores, chunk)
            elif chunk.state is ChunkState.LEASED:
                _look_at_lease(stores, chunk)
            elif chunk.state is ChunkState.WAITING and not job.pause and _stands_still(stores, chunk):
                standing.append(chunk)
        _look_at_scan(stores, job)
        dispatch(stores, job.id)
        if not job.pause:
            finish_if_done(stores, job)
    _send_lost(stores, standing)
    strays = [held for held in stores.deliveries.held_longer_than(HELD_SECONDS) if held.about not in at_work]
    stores.deliveries.give_back(strays)
    for job in stores.jobs.untold():
        tell_end(stores, job, stores.chunks.of_job(job.id, job.scan))


def _look_at_lease(stores: Stores, chunk: Chunk) -> None:
    assert chunk.lease  # noqa: S101 - a leased chunk has one
    looks = stores.marks.looks_unchanged(chunk.id, f"{chunk.rev}:{chunk.lease.token}:{chunk.lease.beat}")
    if looks > stores.settings.lease_patience:
        log.warning("lease_taken_away", chunk=chunk.id, stage=chunk.stage.value, token=chunk.lease.token)
        take_away(stores, chunk)


def _stands_still(stores: Stores, chunk: Chunk) -> bool:
    return stores.marks.looks_unchanged(chunk.id, f"{chunk.rev}:{chunk.state.value}") > stores.settings.lease_patience


def _look_at_scan(stores: Stores, job: JobRecord) -> None:
    """A scan whose slices stand still has no worker: its message is gone, or files are waiting to settle."""
    if job.kind not in LISTED_KINDS or job.scan.done or job.pause:
        return
    patience = 0 if job.scan.walked else 2
    if stores.marks.looks_unchanged(f"scan:{job.id}", str(job.scan.rev)) > patience and not stores.queue_length(
        Queue.SCAN
    ):
        send_task("scan.slice", job.id, queue=Queue.SCAN)


def _send_lost(stores: Stores, standing: Sequence[Chunk]) -> None:
    """Send again what stands still, if its queue is too short to hold all of its messages."""
    by_queue: dict[Queue, list[Chunk]] = {}
    for chunk in standing:
        step = next(step for step in STAGES if step.stage is chunk.stage)
        by_queue.setdefault(step.queue_now if chunk.in_a_hurry else step.queue, []).append(chunk)
    paused = stores.queue_flags.paused() if by_queue else ()
    for queue, chunks in by_queue.items():
        if queue.value in paused:
            continue  # they are sent when it is resumed
        length = stores.queue_length(queue.value)
        if length is not None and length < len(chunks):
            log.info("sent_again", queue=queue.value, chunks=len(chunks), jobs=len(Counter(row.job for row in chunks)))
            for chunk in chunks:
                send(_renewed(stores, chunk))
                stores.marks.forget([chunk.id])


def _renewed(stores: Stores, chunk: Chunk) -> Chunk:
    """A chunk that wants versions nobody gives any more starts again at today's."""
    today = current_versions(stores.settings)
    if chunk.versions == today:
        return chunk
    return stores.chunks.change(chunk, versions=today, stage=Stage.ANALYZE, samples=(), windows=None) or chunk


# ----------------------------------------------------------------------------------------------- after a worker's death


def take_away(stores: Stores, chunk: Chunk, *, by_watchdog: bool | None = None) -> None:
    """Free a chunk whose worker died, and set apart the file it died with.

    Parameters
    ----------
    by_watchdog : whether its own watchdog ended it, because the file took too long; None where nobody saw its end
    """
    mark = stores.marks.begun(chunk.id)
    if chunk.stage is not Stage.ANALYZE:
        freed = let_go(stores, chunk)
    elif mark is None:
        freed = _halve(stores, chunk)
    elif not mark.place or not chunk.lease or mark.token != chunk.lease.token:
        freed = let_go(stores, chunk)  # it died between two files: nobody's fault
    else:
        freed = _set_apart(stores, chunk, mark, mark.overdue if by_watchdog is None else by_watchdog)
    stores.marks.forget([chunk.id])
    if freed is not None:
        stores.tally.troubled(chunk.stage, LEASE_LOST)
    if freed is None or freed.state is not ChunkState.WAITING:
        return
    current = complete_spin_offs(stores, freed) if freed.spin_offs else freed
    if current:
        send(current)


def _set_apart(stores: Stores, chunk: Chunk, mark: Mark, took_too_long: bool) -> Chunk | None:
    """The file goes alone into a chunk of its own, with one attempt against it; alone already, it is tried again.

    The others are parted in two: where a chunk holds more such files, its good ones do not wait for each in turn.
    """
    if len(chunk.places) > 1:
        others = tuple(place for place in chunk.places if place != mark.place)
        middle = (len(others) + 1) // 2
        parts = [SpinOff(f"{chunk.id}.{chunk.rev}h", others[middle:], attempts=0)] if others[middle:] else []
        parts.append(SpinOff(f"{chunk.id}.{chunk.rev}", (mark.place,), attempts=1))
        return let_go(stores, chunk, places=others[:middle], spin_offs=(*chunk.spin_offs, *parts))
    attempts = chunk.attempts + 1
    if attempts < ATTEMPTS:
        return let_go(stores, chunk, attempts=attempts)
    code = FailureCode.TIMEOUT if took_too_long else FailureCode.CRASHED
    sentence = (
        f"The analysis took longer than {mark.limit_s:.0f} s, three times."
        if took_too_long
        else "Three worker processes died while reading this file."
    )
    return fail_all(stores, chunk, code, sentence)


def _halve(stores: Stores, chunk: Chunk) -> Chunk | None:
    """Which file it was is not known: try the halves apart, and count nothing until one file is alone."""
    if len(chunk.places) == 1:
        return let_go(stores, chunk)
    middle = len(chunk.places) // 2
    half = SpinOff(f"{chunk.id}.{chunk.rev}", chunk.places[middle:], attempts=0)
    return let_go(stores, chunk, places=chunk.places[:middle], spin_offs=(*chunk.spin_offs, half))


def fail_all(stores: Stores, chunk: Chunk, code: FailureCode, sentence: str) -> Chunk | None:
    """End a chunk with the same failure for every place that has none yet."""
    failed = {row.place for row in chunk.failures}
    paths = {place.id: place.path for place in stores.places.get(chunk.places)}
    failures = [
        Failure(place=place, path=paths.get(place, ""), code=code, message=sentence)
        for place in chunk.places
        if place not in failed
    ]
    return close(stores, chunk, failures=failures)


def free_after_death(stores: Stores, chunk_id: str, token_prefix: str, *, by_watchdog: bool) -> None:
    """A worker saw its child die: no need to wait until the heartbeat has stood still for long enough."""
    try:
        chunk = stores.chunks.get(chunk_id)
        if chunk and chunk.lease and chunk.lease.token.startswith(token_prefix):
            take_away(stores, chunk, by_watchdog=by_watchdog)
    except StoreUnavailable as error:
        log.warning("left_to_the_reconciler", chunk=chunk_id, reason=error.message)


def release_after_fault(stores: Stores, chunk: Chunk, sentence: str) -> None:
    """A stage failed as a whole by a fault of ours: try again a few times, then say so for each file."""
    if chunk.faults + 1 >= FAULTS:
        fail_all(stores, chunk, FailureCode.INTERNAL, sentence)
    else:
        let_go(stores, replace(chunk), faults=chunk.faults + 1)
