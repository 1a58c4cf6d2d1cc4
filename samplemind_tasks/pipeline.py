"""The whole trip on one page: the stages, the chain that sends a chunk along them, and bounded dispatch.

MongoDB is the truth, Celery is transport: everything here may be called twice, or die after any line, and what is left
in MongoDB says what to do next. What nobody is doing, the reconciler finds (reconcile.py).
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from samplemind_tasks.audio import ANALYSIS_VERSION
from samplemind_tasks.errors import TRANSIENT_CODES, StoreUnavailable
from samplemind_tasks.logs import get_log
from samplemind_tasks.queues import Queue, send_chain
from samplemind_tasks.schemas import Failure, JobKind, JobState, Problem
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.chunks import Chunk, ChunkState, Stage, belongs
from samplemind_tasks.store.jobs import JobRecord, ScanProgress
from samplemind_tasks.store.places import Place
from samplemind_tasks.store.progress import totals
from samplemind_tasks.store.stores import Stores

log = get_log(__name__)


@dataclass(frozen=True)
class Step:
    """How a stage is reached: its task by name, and its queue for bulk work and for what a person waits for."""

    stage: Stage
    task: str
    queue: Queue
    queue_now: Queue


STAGES = (
    Step(Stage.ANALYZE, "cpu.analyze", Queue.CPU, Queue.CPU_NOW),
    Step(Stage.EMBED, "gpu.embed", Queue.GPU, Queue.GPU_NOW),
    Step(Stage.INDEX, "control.index", Queue.CONTROL, Queue.CONTROL),
)

COMPRESSED_WEIGHT = 6
"""A byte of compressed audio costs about as much work as six of PCM."""
CANCEL_SWEEP = 200
"""Chunks cancelled at a time."""


def current_versions(settings: Settings) -> dict[str, str]:
    """The stage versions this code gives: part of an analysis' id, so that only a changed stage runs again."""
    return {Stage.ANALYZE.value: str(ANALYSIS_VERSION), Stage.EMBED.value: settings.hearing_version}


def stamp(versions: dict[str, str]) -> str:
    """Versions as one word, kept with a place."""
    return "+".join(f"{stage}:{version}" for stage, version in sorted(versions.items()))


# ------------------------------------------------------------------------------------------------------ making chunks


def cut(job: JobRecord, places: Sequence[Place], scanner: str, first_seq: int, settings: Settings) -> list[Chunk]:
    """Cut places into chunks of about two seconds of work: many one-shots, or a long track alone."""
    batches: list[list[str]] = []
    weight = 0
    for place in places:
        cost = place.size_bytes * (1 if place.key.lower().endswith((".wav", ".aif", ".aiff")) else COMPRESSED_WEIGHT)
        if not batches or len(batches[-1]) >= settings.chunk_places or weight + cost > settings.chunk_bytes:
            batches.append([])
            weight = 0
        batches[-1].append(place.id)
        weight += cost
    versions = current_versions(settings)
    everything = job.request.get("rerun") == "everything"
    tempo_range = job.request.get("tempo_range_bpm")
    return [
        Chunk(
            id=f"{job.id}-{first_seq + number:06d}-{scanner}",
            job=job.id,
            user_id=job.user_id,
            seq=first_seq + number,
            places=tuple(batch),
            in_a_hurry=job.in_a_hurry,
            versions=versions,
            everything=everything,
            tempo_range_bpm=None if tempo_range is None else (tempo_range[0], tempo_range[1]),
            scan=scanner,
        )
        for number, batch in enumerate(batches)
    ]


def take_over_scan(stores: Stores, job: JobRecord) -> JobRecord | None:
    """Become the job's only scanner; None when another was faster. An overtaken scanner can save nothing any more."""
    token = secrets.token_hex(4)
    kept = tuple(row for row in job.scan.scanners if row[1] < job.scan.next_seq)
    scan = replace(job.scan, rev=job.scan.rev + 1, scanners=(*kept, (token, job.scan.next_seq)))
    return replace(job, scan=scan) if stores.jobs.save_scan(job.id, job.scan.rev, scan) else None


def plan_places(stores: Stores, job: JobRecord) -> JobRecord | None:
    """The chunks of a job that names its places: uploads, and retries of failures."""
    mine = take_over_scan(stores, job)
    if mine is None:
        return None
    wanted: list[str] = mine.request["places"]
    found = [place for start in range(0, len(wanted), 64) for place in stores.places.get(wanted[start : start + 64])]
    chunks = cut(mine, found, mine.scan.scanners[-1][0], mine.scan.next_seq, stores.settings)
    stores.chunks.insert(chunks)
    scan = replace(
        mine.scan, rev=mine.scan.rev + 1, done=True, walked=True, next_seq=mine.scan.next_seq + len(chunks),
        cancelled=len(wanted) - len(found),
    )  # fmt: skip
    return save_slice(stores, mine, scan, chunks)


def save_slice(stores: Stores, job: JobRecord, scan: ScanProgress, chunks: Sequence[Chunk]) -> JobRecord | None:
    """Commit a slice: from here on its chunks count. None when another scanner took over."""
    if not stores.jobs.save_scan(job.id, job.scan.rev, scan):
        return None
    state = JobState.RUNNING if job.state is JobState.QUEUED else job.state
    stores.jobs.start(job.id)
    saved = replace(job, scan=scan, state=state)
    stores.progress.report(job.id, chunks, saved)
    return saved


# ------------------------------------------------------------------------------------------------------------ dispatch


def dispatch(stores: Stores, job_id: str) -> None:
    """Send a job's next chunks while few are in flight; finish the job when nothing is left."""
    job = stores.jobs.get(job_id)
    if job is None or job.finished_at:
        return
    if job.cancel:
        _sweep(stores, job)
        return
    if job.pause:
        stores.progress.report(job.id, (), job)
        return
    if job.kind is not JobKind.FOLDER and not job.scan.done:
        planned = plan_places(stores, job)
        if planned is None:
            return
        job = planned
    room = stores.settings.chunks_in_flight - stores.chunks.count_in_flight(job.id)
    end = min(job.next_seq + room, job.scan.next_seq)
    if end > job.next_seq:
        _send_range(stores, job, job.next_seq, end)
    elif job.scan.done:
        finish_if_done(stores, job)


def _send_range(stores: Stores, job: JobRecord, first: int, end: int) -> None:
    """Mark the chunks numbered first..end-1 as sent, then claim the right to send them, then send."""
    marked = stores.chunks.put_in_flight(job.id, first, end)
    stores.chunks.discard([chunk.id for chunk in marked if not belongs(chunk, job.scan)])
    if stores.jobs.advance_cursor(job.id, first, end):
        for chunk in marked:
            if belongs(chunk, job.scan):
                send(chunk)


def send(chunk: Chunk) -> None:
    """Publish what is left of a chunk's trip. Sending again is free: a message with nothing to do does nothing."""
    steps = [step for step in STAGES if _order(step.stage) >= _order(chunk.stage)]
    if steps:
        send_chain([(step.task, step.queue_now if chunk.in_a_hurry else step.queue) for step in steps], chunk.id)


def _order(stage: Stage) -> int:
    return list(Stage).index(stage)


def resend_in_flight(stores: Stores, job: JobRecord) -> None:
    """After a pause: the messages went by without effect, so send them again."""
    for chunk in stores.chunks.in_flight(job.id):
        if chunk.state is ChunkState.WAITING:
            send(chunk)


# -------------------------------------------------------------------------------------------------- the life of a chunk


def claim(stores: Stores, chunk_id: str, stage: Stage, versions: dict[str, str], token: str) -> Chunk | None:
    """Lease a chunk for a stage; None when it is past it, leased, paused, cancelled, or wants other versions."""
    from_store = stores.chunks.get(chunk_id)
    if from_store is None or from_store.stage is not stage or from_store.state is not ChunkState.WAITING:
        return None
    job = stores.jobs.get(from_store.job)
    if job is None or job.pause:
        return None
    if job.cancel:
        cancel(stores, from_store)
        after_chunk(stores, job.id)
        return None
    if any(from_store.versions[name] != version for name, version in versions.items()):
        return None
    leased = stores.chunks.lease(from_store, token)
    if leased:
        stores.progress.report(leased.job, [leased])
    return leased


def hand_on(stores: Stores, chunk: Chunk, to: Stage, **found: object) -> Chunk | None:
    """Finish a stage: the chunk waits for the next one. None when the lease was lost meanwhile."""
    changed = stores.chunks.change(chunk, stage=to, state=ChunkState.WAITING, lease=None, faults=0, **found)
    if changed:
        stores.progress.report(changed.job, [changed])
    return changed


def let_go(stores: Stores, chunk: Chunk, **found: object) -> Chunk | None:
    """Give a lease back with the stage not done."""
    changed = stores.chunks.change(chunk, state=ChunkState.WAITING, lease=None, **found)
    if changed:
        stores.progress.report(changed.job, [changed])
    return changed


def close(stores: Stores, chunk: Chunk, *, failures: Sequence[Failure] = (), dropped: int = 0) -> Chunk | None:
    """End a chunk's trip: list its failures, mark its places current, and let the job go on."""
    if chunk.lease and not stores.chunks.beat(chunk.id, chunk.lease.token):
        return None  # taken away while we worked: whoever has it now writes what came out
    every = (*chunk.failures, *failures)
    _record_failures(stores, chunk, every)
    lost = {row.place for row in every}
    stores.places.current([place for place in chunk.places if place not in lost], stamp(chunk.versions))
    changed = stores.chunks.change(
        chunk, stage=Stage.FINISHED, state=ChunkState.DONE, lease=None, flight=None, windows=None,
        failures=every, dropped=chunk.dropped + dropped,
    )  # fmt: skip
    if changed is None:
        return None
    _tidy(stores, changed)
    after_chunk(stores, changed.job)
    return changed


def cancel(stores: Stores, chunk: Chunk) -> Chunk | None:
    """End a chunk's trip without a result."""
    changed = stores.chunks.change(chunk, state=ChunkState.CANCELLED, lease=None, flight=None, windows=None)
    if changed:
        _record_failures(stores, changed, changed.failures)
        _tidy(stores, changed)
    return changed


def _record_failures(stores: Stores, chunk: Chunk, failures: Sequence[Failure]) -> None:
    if not failures:
        return
    stores.failures.record(chunk.job, chunk.user_id, chunk.id, failures)
    standing = [(row.place, row.code) for row in failures if row.code not in TRANSIENT_CODES]
    passing = [(row.place, row.code) for row in failures if row.code in TRANSIENT_CODES]
    stores.places.failed(standing, stamp(chunk.versions))
    stores.places.failed(passing, None)


def _tidy(stores: Stores, chunk: Chunk) -> None:
    stores.progress.report(chunk.job, [chunk])
    stores.marks.clear(chunk.id)
    stores.marks.forget([chunk.id])
    stores.blobs.delete_prefix(f"windows/{chunk.id}/")
    log.info("chunk_finished", chunk=chunk.id, state=chunk.state.value, failures=len(chunk.failures))


def complete_spin_offs(stores: Stores, parent: Chunk) -> Chunk | None:
    """Turn the spin-offs a chunk has recorded into chunks of their own, and send them."""
    children = [
        replace(
            parent, id=row.id, seq=-1, places=row.places, rev=0, state=ChunkState.WAITING, lease=None, samples=(),
            failures=(), dropped=0, windows=None, attempts=row.attempts, faults=0, spin_offs=(), flight=parent.job,
            stage=Stage.ANALYZE,
        )
        for row in parent.spin_offs
    ]  # fmt: skip
    stores.chunks.insert(children)
    changed = stores.chunks.change(parent, spin_offs=())
    if changed:
        stores.progress.report(changed.job, [changed, *children])
        for child in children:
            send(child)
    return changed


# ----------------------------------------------------------------------------------------------------- the end of a job


def finish_if_done(stores: Stores, job: JobRecord) -> bool:
    """Close a job whose every chunk has ended. The last counts come from the documents, not from the view."""
    if not job.scan.done or job.next_seq < job.scan.next_seq or stores.chunks.count_in_flight(job.id):
        return False
    chunks = stores.chunks.of_job(job.id, job.scan)
    counts, _, _ = totals(job.scan, chunks)
    if counts.waiting or counts.leased:
        return False
    state = JobState.CANCELLED if job.cancel else JobState.DONE
    return end_job(stores, job, state, chunks=chunks)


def end_job(
    stores: Stores, job: JobRecord, state: JobState, *, problem: Problem | None = None, chunks: Iterable[Chunk] = ()
) -> bool:
    """Write a job's last state, in MongoDB and then in the view."""
    chunks = list(chunks)
    counts, stages, failures = totals(job.scan, chunks)
    if not stores.jobs.finish(job.id, state, counts, stages, failures, problem):
        return False
    ended = stores.jobs.get(job.id)
    if ended:
        stores.progress.rebuild(ended, chunks)
    log.info("job_finished", job=job.id, state=state.value, **counts.model_dump())
    return True


def _sweep(stores: Stores, job: JobRecord) -> None:
    """Cancel what waits: the scan, the chunks never sent, and those whose message has not been taken yet."""
    if not job.scan.done:
        scan = replace(
            job.scan, rev=job.scan.rev + 1, done=True, walked=True,
            cancelled=job.scan.cancelled + len(job.scan.unsettled), unsettled=(),
        )  # fmt: skip
        swept = save_slice(stores, job, scan, ())
        if swept is None:
            return
        job = swept
    for chunk in stores.chunks.in_flight(job.id):
        if chunk.state is ChunkState.WAITING:
            cancel(stores, chunk)
    for first in range(job.next_seq, job.scan.next_seq, CANCEL_SWEEP):
        end = min(first + CANCEL_SWEEP, job.scan.next_seq)
        stores.chunks.cancel_range(job.id, first, end)
        stores.progress.report(
            job.id, [row for row in stores.chunks.numbered(job.id, first, end) if belongs(row, job.scan)]
        )
    if job.scan.next_seq > job.next_seq:
        stores.jobs.advance_cursor(job.id, job.next_seq, job.scan.next_seq)
        job = replace(job, next_seq=job.scan.next_seq)
    finish_if_done(stores, job)


def after_chunk(stores: Stores, job_id: str) -> None:
    """A finished chunk tops the window up. If the broker is away, the reconciler does it later."""
    try:
        dispatch(stores, job_id)
    except StoreUnavailable as error:
        log.warning("dispatch_postponed", job=job_id, reason=error.message)
