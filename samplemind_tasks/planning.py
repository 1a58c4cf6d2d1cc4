"""From what a job asks for to chunks: cut, numbered, and committed slice by slice by the job's only scanner."""

import secrets
from collections.abc import Sequence
from dataclasses import replace

from samplemind_tasks.audio import ANALYSIS_VERSION
from samplemind_tasks.logs import bind_request
from samplemind_tasks.schemas import JobKind, JobState
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.chunks import Chunk, Stage
from samplemind_tasks.store.jobs import JobRecord, ScanProgress
from samplemind_tasks.store.places import Place
from samplemind_tasks.store.stores import Stores

COMPRESSED_WEIGHT = 6
"""A byte of compressed audio costs about as much work as six of PCM."""


def current_versions(settings: Settings) -> dict[str, str]:
    """The stage versions this code gives: part of an analysis' id, so that only a changed stage runs again."""
    return {Stage.ANALYZE.value: str(ANALYSIS_VERSION), Stage.EMBED.value: settings.hearing_version}


def stamp(versions: dict[str, str]) -> str:
    """Versions as one word, kept with a place."""
    return "+".join(f"{stage}:{version}" for stage, version in sorted(versions.items()))


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
            request_id=job.request_id,
        )
        for number, batch in enumerate(batches)
    ]


def take_turn(stores: Stores, job_id: str, kind: JobKind) -> JobRecord | None:
    """The job, if it is of a kind and there is something to list, with us as its only scanner."""
    job = stores.jobs.get(job_id)
    if job is None or job.kind is not kind:
        return None
    if job.finished_at or job.scan.done or job.pause or job.cancel:
        return None
    bind_request(job.request_id, job=job.id)
    return take_over_scan(stores, job)


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
    stores.tally.listed(job.scan, scan, chunks)
    saved = replace(job, scan=scan, state=state)
    stores.progress.report(job.id, chunks, saved)
    return saved
