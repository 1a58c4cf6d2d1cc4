"""The control worker's doors: index finished chunks, send the next ones, look for what nobody is doing."""

from typing import Any

import numpy as np
from celery.signals import worker_ready

from samplemind_tasks.pipeline import close, let_go, resend_in_flight
from samplemind_tasks.pipeline import dispatch as dispatch_job
from samplemind_tasks.planning import current_versions
from samplemind_tasks.queues import app, send, settings
from samplemind_tasks.reconcile import reconcile as look_at_everything
from samplemind_tasks.reindex import look_at_index, ready_facets, rebuild_stretch
from samplemind_tasks.store.chunks import Chunk, Stage
from samplemind_tasks.store.documents import Hearing
from samplemind_tasks.store.vectors import collection_name
from samplemind_tasks.tasks.stage import StageTask, Work, stores


@app.task(name="control.dispatch")
def dispatch(job_id: str) -> None:
    """Send a job's next chunks. Called when a job is made, cancelled, paused or resumed."""
    job = stores().jobs.get(job_id)
    if job and not job.finished_at and not job.pause and not job.cancel:
        resend_in_flight(stores(), job)
    dispatch_job(stores(), job_id)


@app.task(name="control.reconcile", send_events=False)  # Flower shows work, not the watchman
def reconcile() -> None:
    """Look for what nobody is doing."""
    look_at_everything(stores())
    look_at_index(stores())


@app.task(name="control.reindex")
def reindex(collection: str, user_id: str) -> None:
    """Write a stretch of a lost index anew, from the vectors that MongoDB keeps."""
    if rebuild_stretch(stores(), collection, user_id):
        send("control.reindex", collection, user_id)


@app.task(name="control.index", bind=True, base=StageTask)
def index(self: StageTask, chunk_id: str) -> None:
    """Make a chunk's samples searchable, and mark them ready last."""
    versions = current_versions(settings)
    with self.claim(chunk_id, Stage.INDEX, versions) as work:
        if work is None:
            return
        chunk = work.chunk
        hearings = work.stores.samples.hearings({row.file_hash for row in chunk.samples}, versions[Stage.EMBED.value])
        if any(row.file_hash not in hearings for row in chunk.samples):
            let_go(work.stores, chunk, stage=Stage.ANALYZE, samples=(), failures=(), dropped=0, windows=None)
            return
        _index(work, chunk, hearings)


def _index(work: Work, chunk: Chunk, hearings: dict[str, Hearing]) -> None:
    """Chroma first; then who still lives; then ready. Whoever was deleted meanwhile is taken out again."""
    samples, vectors, card = work.stores.samples, work.stores.vectors, settings.model_card
    by_id = {row.sample: hearings[row.file_hash] for row in chunk.samples}
    ids = list(by_id)
    collection = collection_name(card.collection, chunk.user_id)
    heard = [name for name in ids if len(by_id[name].vector)]
    if heard:
        vectors.upsert(collection, heard, np.stack([by_id[name].vector for name in heard]))
    removed = _removed(work, chunk)
    samples.bury(sorted(removed))
    living = samples.living(ids)
    vectors.delete(collection, [name for name in ids if name not in living])
    taught = work.stores.taught.get(chunk.user_id, card.collection)
    samples.ready(*ready_facets(card, {name: by_id[name] for name in living}, taught))
    close(work.stores, chunk, dropped=sum(row.sample not in living for row in chunk.samples))


def _removed(work: Work, chunk: Chunk) -> set[str]:
    """Samples of the chunk all of whose places here were deleted by their owner."""
    deleted = {place.id for place in work.stores.places.get(chunk.places) if place.removed}
    kept = {row.sample for row in chunk.samples if row.place not in deleted}
    return {row.sample for row in chunk.samples} - kept


@worker_ready.connect
def _look_at_once(**_: Any) -> None:
    """After a start there may be a lot that nobody is doing."""
    send("control.reconcile")
