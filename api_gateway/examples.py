"""What answers look like, for the OpenAPI document. Made of the real types, so that they cannot drift."""

from datetime import UTC, datetime

from pydantic import BaseModel

from api_gateway.kept_examples import KEPT_EXAMPLES
from samplemind_tasks.access import CreatedKey, KeyList, KeyView, Scope
from samplemind_tasks.categories import Category
from samplemind_tasks.errors import FailureCode
from samplemind_tasks.features import Evidence, Features, Kind, Reason, Spread, Word
from samplemind_tasks.queries import (
    DuplicateGroup,
    DuplicateMember,
    DuplicatePage,
    Labelling,
    LessonAnswer,
    LookupAnswer,
    Meaning,
    ReindexAnswer,
    SearchAnswer,
)
from samplemind_tasks.queue_views import Queues, QueueView
from samplemind_tasks.schemas import (
    Counts,
    Failure,
    FailurePage,
    Hit,
    Job,
    JobKind,
    JobPage,
    JobState,
    Part,
    Peaks,
    PlaceView,
    Readiness,
    RetryJob,
    Sample,
    SampleDetail,
    SamplePage,
    SampleState,
    StageCounts,
    Stats,
    Tag,
    Uploaded,
)

_FILE_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_MOMENT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)

_JOB = Job(
    id="5f0c9a0b1c2d3e4f5a6b7c8d", kind=JobKind.FOLDER, state=JobState.RUNNING, path="/home/ada/Samples",
    created_at=_MOMENT, finished_at=None,
    counts=Counts(found=5000, waiting=3100, leased=128, done=1750, failed=2, skipped=20),
    stages=StageCounts(analyzed=1850, embedded=1790, indexed=1750), failures={"empty": 2}, scan_done=True,
    rate_per_s=31.5, eta_s=102.5, waiting_for=None, problem=None, retry_of=None,
)  # fmt: skip
_SAMPLE = Sample(
    id="2c26b46b68ffc68ff99b453c", file_hash=_FILE_HASH, name="Deep Kick 01.wav", state=SampleState.READY, number=1750,
    created_at=_MOMENT, size_bytes=88244, duration_s=0.5, kind=Kind.ONE_SHOT, tempo_bpm=None, tempo_confidence=None,
    key=None, key_confidence=None, key_camelot=None, loudness_lufs=-11.2, tags=["drums", "beat"],
    analysis_version=2, category=Category.KICK, category_confidence=0.94, category_source="model",
    paths=["/home/ada/Samples/Kicks/Deep Kick 01.wav"],
)  # fmt: skip
_COPY = _SAMPLE.model_copy(update={"name": "kick deep (copy).mp3", "paths": ["/home/ada/Old/kick deep (copy).mp3"]})
_KICK = {
    "analysis_version": 2, "container": "WAV", "codec": "PCM_16", "rate_hz": 44100, "channels": 2, "bit_depth": 16,
    "duration_s": 0.5, "measured_s": 0.5, "pcm_hash": "5f2f1b9c0f6d4e0c8a0d0e1b7c3a9d42",
    "kind": Kind.ONE_SHOT, "kind_confidence": 0.97, "onset_count": 1, "onset_times_s": [0.0],
    "pitch_midi": 33, "pitch_cents": -8.2, "pitch_confidence": 0.81, "attack_s": 0.002, "decay_s": 0.21,
    "loudness_lufs": -11.2, "true_peak_dbtp": -0.1, "sample_peak_dbfs": -0.3, "rms_dbfs": -14.1, "crest_db": 13.8,
    "clipped_samples": 0, "dc_offset": 0.0, "silence_start_s": 0.0, "silence_end_s": 0.05,
    "stereo_width": 0.0, "stereo_correlation": 1.0,
    "centroid_hz": Spread(mean=512.4, deviation=210.9, p10=240.1, p50=470.0, p90=810.3),
    "evidence": [Evidence(source="name", about="kind", value="one-shot", text="Kick")],
    "words": [Word(name="boomy", score=0.83), Word(name="punchy", score=0.71)], "notes": [],
}  # fmt: skip
_FEATURES = Features.model_validate(
    dict.fromkeys(Features.model_fields)
    | _KICK
    | {"reasons": dict.fromkeys(("tempo_bpm", "key", "bars"), Reason.ONE_SHOT)}
)
_FAILURE = Failure(
    place="4e07408562bedb8b60ce05c1", path="/home/ada/Samples/Loops/broken.wav", code=FailureCode.EMPTY,
    message="no audio in it",
)  # fmt: skip
_PLACE = PlaceView(
    path="/home/ada/Samples/Kicks/Deep Kick 01.wav", upload=None, size_bytes=88244, modified_at=_MOMENT, state="present"
)
_LESSON = LessonAnswer(
    folder="/home/ada/Sorted", sounds={"Kicks": 120, "dusty": 40}, accuracy=0.91, model="ears-1", in_use=True,
    taught_at=datetime(2026, 11, 25, 9, 30, tzinfo=UTC), categories={"Kicks": Category.KICK}, set_aside={"silent": 2},
    labelling=Labelling(under_way=False, written=5000, samples=5000, changed=214, tagged=96),
)  # fmt: skip
_KEY = KeyView(
    id="3f9a0c51be72", user="ada", scope=Scope.WRITE, name="laptop", created_at=_MOMENT, last_used_at=None,
    expires_at=None, revoked_at=None,
)  # fmt: skip
_CURSOR = "WyJzYW1wbGVzIiwxNzUwXQ"
_MODEL = "ears-1"
_OPEN = {"can_pause": True, "paused_since": None}
_QUEUES = Queues(
    queues=[
        QueueView(name="cpu", messages=14, taken=2, chunks_waiting=310, chunks_at_work=2, workers=1, **_OPEN),
        QueueView(name="gpu", messages=3, taken=0, chunks_waiting=3, chunks_at_work=0, workers=1, **_OPEN),
    ]
)

EXAMPLES: dict[str, BaseModel] = KEPT_EXAMPLES | {
    "list_members": SamplePage(samples=[_SAMPLE], next=None),
    "list_queues": _QUEUES,
    "pause_queue": _QUEUES,
    "resume_queue": _QUEUES,
    "create_key": CreatedKey(**_KEY.model_dump(), key=f"sm_{_KEY.id}_{'0123456789abcdef' * 3}"),
    "list_keys": KeyList(keys=[_KEY]),
    "submit_job": _JOB,
    "get_job": _JOB,
    "reprocess_samples": _JOB.model_copy(update={"kind": JobKind.REPROCESS, "path": None}),
    "list_jobs": JobPage(jobs=[_JOB], next=None),
    "cancel_job": _JOB,
    "pause_job": _JOB,
    "resume_job": _JOB,
    "retry_failures": RetryJob(**{**_JOB.model_dump(), "kind": JobKind.RETRY, "retry_of": _JOB.id}, more=False),
    "list_failures": FailurePage(failures=[_FAILURE], next=None),
    "upload_sound": Uploaded(
        id="4e07408562bedb8b60ce05c1", file_hash=_FILE_HASH, size_bytes=88244, name="kick.wav", known_sample=None
    ),
    "list_samples": SamplePage(samples=[_SAMPLE], next=_CURSOR),
    "get_sample": SampleDetail(
        sample=_SAMPLE, features=_FEATURES, tags=[Tag(name="drums", score=0.94)], model=_MODEL, places=[_PLACE]
    ),
    "get_peaks": Peaks(bins=3, minimum=[-127, -60, -8], maximum=[121, 55, 7]),
    "change_sample": _SAMPLE,
    "similar_to_sample": SearchAnswer(
        hits=[Hit(sample=_SAMPLE, score=0.93, mode=["sound"], matched=[], parts={"timbre": 0.93})], understood=[],
        nothing_matches=False, searched=5000, model=_MODEL,
    ),
    "search": SearchAnswer(
        hits=[Hit(sample=_SAMPLE, score=0.91, mode=["category"], matched=["kick"], parts={"text": 0.91})],
        understood=[Meaning(what="category", value="kick", words="kick")],
        nothing_matches=False, searched=4100, model=_MODEL,
    ),
    "look_up": LookupAnswer(how="name", samples=[_SAMPLE], total=1),
    "list_duplicates": DuplicatePage(
        groups=[DuplicateGroup(how="near", members=[
            DuplicateMember(sample=_SAMPLE, paths=_SAMPLE.paths, similarity=1.0),
            DuplicateMember(sample=_COPY, paths=_COPY.paths, similarity=0.94),
        ])],
        next=None,
    ),
    "reindex": ReindexAnswer(model=_MODEL, samples=5000),
    "teach": _LESSON,
    "get_lesson": _LESSON,
    "get_stats": Stats(
        samples=5000, by_state={"ready": 4990, "analyzed": 10}, by_kind={"one-shot": 4100, "loop": 900},
        duration_s=9120.5, size_bytes=1_610_612_736, jobs_open=1, model=_MODEL,
    ),
    "get_ready": Readiness(ready=True, parts=[Part(name="mongodb", ok=True, message="answers", advice="")]),
}  # fmt: skip
"""A successful answer by operation id."""
EXAMPLES["run_search"] = EXAMPLES["search"]
