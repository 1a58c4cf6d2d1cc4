"""The AI worker's door: run a chunk's windows through the model and keep vectors and tags."""

import os
import threading
from functools import cache
from typing import Any

from celery.signals import worker_init

from samplemind_tasks.ai.embed import Embedder, load
from samplemind_tasks.errors import AudioError, ModelUnavailable, NotFound
from samplemind_tasks.pipeline import close, current_versions, hand_on, let_go
from samplemind_tasks.queues import app, settings
from samplemind_tasks.schemas import Failure
from samplemind_tasks.store.chunks import Stage
from samplemind_tasks.store.samples import Hearing
from samplemind_tasks.store.windows import Windows, unpack
from samplemind_tasks.tasks.stage import StageTask, Work

VERSIONS = {Stage.EMBED.value: current_versions(settings)[Stage.EMBED.value]}


@cache
def device() -> threading.BoundedSemaphore:
    """Who may compute. A GPU takes one at a time while the other thread reads or writes; a CPU has its cores."""
    return threading.BoundedSemaphore(1 if embedder().device.type == "cuda" else os.cpu_count() or 1)


@cache
def embedder() -> Embedder:
    """The model, loaded once a process."""
    return load(settings.model_card, settings.data_dir / "models", settings.device)


@worker_init.connect
def _load_first(**_: Any) -> None:
    """A worker without its model (or without the GPU it was promised) does not start.

    SystemExit, because Celery logs any other exception of a signal's receiver and goes on.
    """
    try:
        embedder().self_test()
    except ModelUnavailable as error:
        raise SystemExit(f"{error.code}: {error.message}") from error


@app.task(name="gpu.embed", bind=True, base=StageTask)
def embed(self: StageTask, chunk_id: str) -> None:
    """Hear every sound of the chunk that the model has not heard yet."""
    with self.claim(chunk_id, Stage.EMBED, VERSIONS) as work:
        if work is None:
            return
        wanted = _unheard(work)
        windows = _windows(work) if wanted else {}
        if wanted - set(windows):  # the blob is gone: cut the windows again
            let_go(work.stores, work.chunk, stage=Stage.ANALYZE, samples=(), failures=(), dropped=0, windows=None)
            return
        hearings, failed = _hear({name: windows[name] for name in sorted(wanted)})
        work.stores.samples.save_hearings(hearings, VERSIONS[Stage.EMBED.value], replace=work.chunk.everything)
        _finish(work, failed)


def _unheard(work: Work) -> set[str]:
    hashes = {row.file_hash for row in work.chunk.samples}
    if work.chunk.everything:
        return hashes
    return hashes - set(work.stores.samples.hearings(hashes, VERSIONS[Stage.EMBED.value]))


def _windows(work: Work) -> dict[str, Windows]:
    if work.chunk.windows is None:
        return {}
    try:
        return unpack(work.stores.blobs.get(work.chunk.windows))
    except NotFound:
        return {}


def _hear(windows: dict[str, Windows]) -> tuple[list[Hearing], dict[str, AudioError]]:
    """Vectors and tags of every sound; a sound the model cannot take fails alone."""
    hearings, failed = [], {}
    for file_hash, cut in windows.items():
        try:
            with device():
                heard = embedder().embed(cut)
        except AudioError as error:
            failed[file_hash] = error
        else:
            tags = heard.tags if cut.any() else ()  # the model has words for silence too; nobody would search by them
            hearings.append(Hearing(file_hash, heard.vector, tuple(tags)))
    return hearings, failed


def _finish(work: Work, failed: dict[str, AudioError]) -> None:
    stores, chunk = work.stores, work.chunk
    deaf = {row.place: failed[row.file_hash] for row in chunk.samples if row.file_hash in failed}
    paths = {place.id: place.path for place in stores.places.get(list(deaf))}
    failures = tuple(
        Failure(place=place, path=paths.get(place, ""), code=error.failure, message=error.message)
        for place, error in deaf.items()
    )
    heard = tuple(row for row in chunk.samples if row.place not in deaf)
    if heard:
        hand_on(stores, chunk, Stage.INDEX, samples=heard, failures=(*chunk.failures, *failures))
    else:
        close(stores, chunk, failures=failures)
