"""The AI worker's door: run a chunk's windows through the model and keep vectors, tags and categories."""

from collections.abc import Iterator
from typing import Any

from celery.signals import worker_init

from samplemind_tasks.errors import AudioError, FailureCode, NotFound, SampleMindError
from samplemind_tasks.pipeline import close, hand_on, let_go
from samplemind_tasks.planning import current_versions
from samplemind_tasks.queues import app, settings
from samplemind_tasks.schemas import Failure
from samplemind_tasks.store.chunks import Stage
from samplemind_tasks.store.documents import Hearing, nothing_heard
from samplemind_tasks.store.windows import SoundWindows, unpack
from samplemind_tasks.tasks.give_way import give_way
from samplemind_tasks.tasks.hearing import device, embedder, load_first
from samplemind_tasks.tasks.stage import StageTask, Work, stores
from samplemind_tasks.teaching import learn

VERSIONS = {Stage.EMBED.value: current_versions(settings)[Stage.EMBED.value]}
MOST_WINDOWS = 256
"""Heard and stored together: what a death costs at most, and what a batch is filled from."""


@worker_init.connect
def _load_first(**_: Any) -> None:
    give_way(settings.bulk_nice)
    load_first(in_bulk=True)


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
        failed: dict[str, AudioError] = {}
        for sounds in _in_groups({name: windows[name] for name in sorted(wanted)}):
            if work.heartbeat.lost:
                return
            hearings = _hear(sounds, failed)
            work.windows += _count(list(sounds.values()))
            is_anew = work.chunk.redoes(Stage.EMBED)
            work.stores.samples.save_hearings(hearings, VERSIONS[Stage.EMBED.value], replace=is_anew)
        _finish(work, failed)


@app.task(name="gpu.teach", acks_late=False)
def teach(user_id: str, root: str, folder: str) -> dict[str, str]:
    """Learn a user's own labels from a folder of the library, while they wait; answers what is wrong with it."""
    try:
        learn(stores(), user_id, root, folder)
    except SampleMindError as error:
        return {"code": error.code, "message": error.message}
    return {}


def _unheard(work: Work) -> set[str]:
    hashes = {row.file_hash for row in work.chunk.samples}
    if work.chunk.redoes(Stage.EMBED):
        return hashes
    return hashes - set(work.stores.samples.hearings(hashes, VERSIONS[Stage.EMBED.value]))


def _windows(work: Work) -> dict[str, SoundWindows]:
    if work.chunk.windows is None:
        return {}
    try:
        return unpack(work.stores.blobs.get(work.chunk.windows))
    except NotFound:
        return {}


def _in_groups(sounds: dict[str, SoundWindows]) -> Iterator[dict[str, SoundWindows]]:
    """The sounds by file hash, in groups of about `MOST_WINDOWS`: one-shots have one, a track several."""
    group: dict[str, SoundWindows] = {}
    for file_hash, windows in sounds.items():
        if group and _count([*group.values(), windows]) > MOST_WINDOWS:
            yield group
            group = {}
        group[file_hash] = windows
    if group:
        yield group


def _count(sounds: list[SoundWindows]) -> int:
    return sum(len(cut) for windows in sounds for cut in windows.values())


def _hear(sounds: dict[str, SoundWindows], failed: dict[str, AudioError]) -> list[Hearing]:
    """What the model makes of the sounds; one it cannot take fails alone."""
    with device().hold(_count(list(sounds.values()))):
        answers = embedder().embed_many(list(sounds.values()))
    hearings = []
    for file_hash, heard in zip(sounds, answers, strict=True):
        if isinstance(heard, AudioError) and heard.failure is FailureCode.SILENT:
            hearings.append(nothing_heard(file_hash))
        elif isinstance(heard, AudioError):
            failed[file_hash] = heard
        else:
            hearings.append(Hearing(file_hash, heard.vector, tuple(heard.tags), heard.leaves))
    return hearings


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
