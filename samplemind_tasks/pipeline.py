"""The whole trip on one page: the stages, the chain that sends a chunk along them, and bounded dispatch.

MongoDB is the truth, Celery is transport: everything here may be called twice, or die after any line, and what is left
in MongoDB says what to do next. What nobody is doing, the reconciler finds (reconcile.py).
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace

from samplemind_tasks.errors import TRANSIENT_CODES, StoreUnavailable
from samplemind_tasks.logs import get_log
from samplemind_tasks.planning import plan_places, save_slice, stamp
from samplemind_tasks.queues import Queue, send_chain
from samplemind_tasks.schemas import LISTED_KINDS, Failure, JobState, Problem
from samplemind_tasks.store.chunks import Chunk, ChunkState, Stage, belongs
from samplemind_tasks.store.jobs import JobRecord
from samplemind_tasks.store.progress import totals
from samplemind_tasks.store.queue_flags import paused_queue
from samplemind_tasks.store.stores import Stores
from samplemind_tasks.store.windows import windows_key

log = get_log(__name__)


@dataclass(frozen=True)
class Step:
    """How a stage is reached: its task by name, and its queue for bulk work and for what a person waits for."""

    stage: Stage
    task: str
    queue: Queue
    queue_now: Queue

    def queue_of(self, in_a_hurry: bool) -> Queue:
        """Where its messages go."""
        return self.queue_now if in_a_hurry else self.queue


STAGES = (
    Step(Stage.ANALYZE, "cpu.analyze", Queue.CPU, Queue.CPU_NOW),
    Step(Stage.EMBED, "gpu.embed", Queue.GPU, Queue.GPU_NOW),
    Step(Stage.INDEX, "control.index", Queue.CONTROL, Queue.CONTROL),
)

CANCEL_SWEEP = 200
"""Chunks cancelled at a time."""


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
    if job.kind not in LISTED_KINDS and not job.scan.done:
        planned = plan_places(stores, job)
        if planned is None:
            return
        job = planned
    paused = stores.queue_flags.paused()
    if paused:
        note_paused_queue(stores, job, paused)
    is_held = STAGES[0].queue_of(job.in_a_hurry).value in paused
    room = 0 if is_held else stores.settings.chunks_in_flight - stores.chunks.count_in_flight(job.id)
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
        send_chain([(step.task, step.queue_of(chunk.in_a_hurry)) for step in steps], chunk.id, chunk.request_id)


def note_paused_queue(stores: Stores, job: JobRecord, paused: Container[str]) -> None:
    """Say for which paused queue a job waits, if there is work of it: the first on the trip."""
    stages = {chunk.stage for chunk in stores.chunks.in_flight(job.id) if chunk.state is ChunkState.WAITING}
    if job.next_seq < job.scan.next_seq:
        stages.add(STAGES[0].stage)
    for step in STAGES:
        queue = step.queue_of(job.in_a_hurry).value
        if step.stage in stages and queue in paused:
            stores.progress.waiting_for(job.id, paused_queue(queue))
            return


def _order(stage: Stage) -> int:
    return list(Stage).index(stage)


def resend_in_flight(stores: Stores, job: JobRecord) -> None:
    """After a pause: the messages went by without effect, so send them again."""
    for chunk in stores.chunks.in_flight(job.id):
        if chunk.state is ChunkState.WAITING:
            send(chunk)


# -------------------------------------------------------------------------------------------------- the life of a chunk


def claim(stores: Stores, chunk_id: str, stage: Stage, versions: dict[str, str], token: str) -> Chunk | None:
    """Lease a chunk for a stage; None when it is past it, leased, paused, cancelled, or wants other versions.

    The message is gone then and the chunk waits: resuming a job or a queue sends it again.
    """
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
    queue = STAGES[_order(stage)].queue_of(from_store.in_a_hurry).value
    if queue in stores.queue_flags.paused():
        stores.progress.waiting_for(job.id, paused_queue(queue))
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
        stores.tally.passed(chunk, changed)
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
    stores.places.current(_current_places(stores, chunk, lost), stamp(chunk.versions))
    changed = stores.chunks.change(
        chunk, stage=Stage.FINISHED, state=ChunkState.DONE, lease=None, flight=None, windows=None,
        failures=every, dropped=chunk.dropped + dropped,
    )  # fmt: skip
    if changed is None:
        return None
    stores.tally.passed(chunk, changed)
    _tidy(stores, changed)
    after_chunk(stores, changed.job)
    return changed


def _current_places(stores: Stores, chunk: Chunk, lost: Container[str]) -> list[str]:
    """The places that a rescan may skip: where one stage alone was asked for, another may be out of date."""
    if chunk.only is None:
        return [place for place in chunk.places if place not in lost]
    known = stores.samples.known_stages([row.file_hash for row in chunk.samples], chunk.versions)
    is_current = {file_hash for file_hash, stages in known.items() if stages == set(chunk.versions)}
    return [row.place for row in chunk.samples if row.place not in lost and row.file_hash in is_current]


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
    stores.blobs.delete_prefix(windows_key(chunk.job, chunk.id))
    told = {"state": chunk.state.value, "failures": len(chunk.failures), "request_id": chunk.request_id}
    log.info("chunk_finished", chunk=chunk.id, **told)


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
    # what was cut under a lease that was lost, or for a chunk whose worker died when it had just ended
    stores.blobs.delete_prefix(windows_key(job.id))
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
        tell_end(stores, ended, chunks)
    log.info("job_finished", job=job.id, state=state.value, request_id=job.request_id, **counts.model_dump())
    return True


def tell_end(stores: Stores, job: JobRecord, chunks: Iterable[Chunk]) -> None:
    """Have the view of a job say that it has ended. While Redis is away the reconciler comes back to it."""
    if stores.progress.rebuild(job, chunks):
        stores.jobs.note_told(job.id)


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
