"""A job and a sample as the gateway would answer them, and what of them would be printed."""

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console, RenderableType

from samplemind_tasks.features import Kind
from samplemind_tasks.schemas import (
    Counts,
    Job,
    JobKind,
    JobState,
    Sample,
    SampleState,
    StageCounts,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def a_job(**changes: object) -> Job:
    """A job of 640 files on its way, 212 of them past everything."""
    job = Job(
        id="66ab12cd34ef5678aabbccdd",
        kind=JobKind.FOLDER,
        state=JobState.RUNNING,
        path="/music",
        created_at=NOW,
        finished_at=None,
        counts=Counts(found=640, waiting=400, leased=28, done=190, failed=12, skipped=10),
        stages=StageCounts(analyzed=260, embedded=220, indexed=190),
        failures={"not_audio": 9, "empty": 3},
        scan_done=True,
        rate_per_s=18.43,
        eta_s=23.4,
        waiting_for=None,
        problem=None,
        retry_of=None,
    )
    return job.model_copy(update=changes)


def a_sample(name: str, **changes: object) -> Sample:
    sample = Sample(
        id="0f1e2d3c4b5a69788796a5b4",
        file_hash="ab" * 32,
        name=name,
        state=SampleState.READY,
        number=1,
        created_at=NOW,
        size_bytes=1_234_567,
        duration_s=7.74,
        kind=Kind.LOOP,
        tempo_bpm=124.04,
        tempo_confidence=0.9,
        key="A minor",
        key_confidence=0.3,
        key_camelot="8A",
        loudness_lufs=-14.23,
        tags=["techno", "electronic", "synth"],
        analysis_version=1,
    )
    return sample.model_copy(update=changes)


def printed(shown: RenderableType, columns: int = 80) -> str:
    """What a file would get of it."""
    written = StringIO()
    Console(file=written, width=columns, markup=False, highlight=False, emoji=False).print(shown)
    return written.getvalue()
