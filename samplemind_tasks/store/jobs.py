"""Job documents: what was asked, how far the scan has come, and the flags a person may set."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pymongo import ASCENDING
from pymongo.database import Database

from samplemind_tasks.logs import current_request_id
from samplemind_tasks.schemas import LISTED_KINDS, Counts, JobKind, JobState, Problem, StageCounts
from samplemind_tasks.store.mongo import Document, translating

UNTOLD = "untold"
"""`open` of a job that has ended, until its view says so: Redis may be away just then."""


@dataclass(frozen=True)
class Unsettled:
    """A file that was too young to be believed whole: looked at again until it stops growing."""

    key: str
    size_bytes: int
    mtime_ns: int
    first_seen: float
    """Unix seconds."""


@dataclass(frozen=True)
class ScanProgress:
    """How far the listing of a job's folder has come. Saved with every slice; a killed scan goes on from here."""

    rev: int = 0
    done: bool = False
    walked: bool = False
    """The folder has been listed to the end; only unsettled files are left."""
    cursor: str = ""
    """The last key listed."""
    next_seq: int = 0
    """The number of chunks made so far."""
    scanners: tuple[tuple[str, int], ...] = ()
    """Who scanned: (token, number of its first chunk). Only the last may save; an overtaken one makes strays."""
    skipped: int = 0
    failed_before: int = 0
    """Of the skipped, those that failed in an earlier job."""
    failed: dict[str, int] = field(default_factory=dict)
    cancelled: int = 0
    unsettled: tuple[Unsettled, ...] = ()

    @classmethod
    def from_document(cls, document: Document) -> "ScanProgress":
        return cls(
            **{
                **document,
                "scanners": tuple((token, first) for token, first in document["scanners"]),
                "unsettled": tuple(Unsettled(**row) for row in document["unsettled"]),
            }
        )

    def to_document(self) -> Document:
        return {
            **vars(self),
            "scanners": [list(row) for row in self.scanners],
            "unsettled": [vars(row) for row in self.unsettled],
        }

    def scanner_of(self, seq: int) -> str | None:
        """The token of the scanner that made the chunk with this number."""
        return next((token for token, first in reversed(self.scanners) if first <= seq), None)


@dataclass(frozen=True)
class JobRecord:
    """A job as MongoDB holds it."""

    id: str
    user_id: str
    kind: JobKind
    state: JobState
    path: str | None
    root: str | None
    """The allowed root the path lies under."""
    request: dict[str, Any]
    """include, exclude, rerun, restore; for uploads and retries: places."""
    created_at: datetime
    finished_at: datetime | None
    cancel: bool
    pause: bool
    scan: ScanProgress
    next_seq: int
    """Chunks below this number have been sent."""
    final: Document | None
    """Counts at the end: {counts, stages, failures}."""
    problem: Problem | None
    retry_of: str | None
    request_id: str | None = None
    """The request that asked for it, for logs."""

    @property
    def shown_state(self) -> JobState:
        """The state people see."""
        return shown_state(self.state, pause=self.pause, cancel=self.cancel)

    @property
    def in_a_hurry(self) -> bool:
        """Somebody waits for this: it goes through the `.now` queues."""
        return self.kind not in LISTED_KINDS

    @classmethod
    def from_document(cls, document: Document) -> "JobRecord":
        return cls(
            id=document["_id"],
            user_id=document["user_id"],
            kind=JobKind(document["kind"]),
            state=JobState(document["state"]),
            path=document["path"],
            root=document["root"],
            request=document["request"],
            created_at=document["created_at"],
            finished_at=document["finished_at"],
            cancel=document["cancel"],
            pause=document["pause"],
            scan=ScanProgress.from_document(document["scan"]),
            next_seq=document["next_seq"],
            final=document["final"],
            problem=Problem.model_validate(document["problem"]) if document["problem"] else None,
            retry_of=document["retry_of"],
            request_id=document.get("request_id"),
        )


def shown_state(state: JobState, *, pause: bool, cancel: bool) -> JobState:
    """The state people see: a paused job has a flag, so that a pause never races with the job's own progress."""
    waits = state in (JobState.QUEUED, JobState.RUNNING)
    return JobState.PAUSED if pause and not cancel and waits else state


def new_job_document(
    *,
    user_id: str,
    kind: JobKind,
    request: dict[str, Any],
    path: str | None = None,
    root: str | None = None,
    retry_of: str | None = None,
    job_id: str | None = None,
    fingerprint: str | None = None,
) -> Document:
    """The document of a job nobody has started. `fingerprint` tells two requests under one idempotency key apart."""
    return {
        "_id": job_id or secrets.token_hex(12),
        "user_id": user_id,
        "kind": kind.value,
        "state": JobState.QUEUED.value,
        "path": path,
        "root": root,
        "request": request,
        "created_at": datetime.now(UTC),
        "finished_at": None,
        "open": True,
        "cancel": False,
        "pause": False,
        "scan": ScanProgress().to_document(),
        "next_seq": 0,
        "final": None,
        "problem": None,
        "retry_of": retry_of,
        "fingerprint": fingerprint,
        "request_id": current_request_id(),
    }


class Jobs:
    """Job documents as workers see them. Every change is one update of one document."""

    def __init__(self, db: Database[Document]) -> None:
        self._jobs = db.jobs

    def get(self, job_id: str) -> JobRecord | None:
        with translating():
            document = self._jobs.find_one({"_id": job_id})
        return JobRecord.from_document(document) if document else None

    def open_jobs(self) -> list[JobRecord]:
        """Jobs that are not finished, oldest first."""
        with translating():
            return [
                JobRecord.from_document(row) for row in self._jobs.find({"open": True}).sort("created_at", ASCENDING)
            ]

    def save_scan(self, job_id: str, old_rev: int, scan: ScanProgress) -> bool:
        """Save a slice, unless another scan of the same job got further in the meantime."""
        with translating():
            result = self._jobs.update_one({"_id": job_id, "scan.rev": old_rev}, {"$set": {"scan": scan.to_document()}})
        return result.modified_count == 1

    def start(self, job_id: str) -> None:
        """queued -> running, once."""
        with translating():
            self._jobs.update_one(
                {"_id": job_id, "state": JobState.QUEUED.value}, {"$set": {"state": JobState.RUNNING.value}}
            )

    def advance_cursor(self, job_id: str, sent: int, next_seq: int) -> bool:
        """Claim the chunks numbered sent..next_seq-1 for sending; only one dispatcher wins."""
        with translating():
            result = self._jobs.update_one({"_id": job_id, "next_seq": sent}, {"$set": {"next_seq": next_seq}})
        return result.modified_count == 1

    def finish(
        self,
        job_id: str,
        state: JobState,
        counts: Counts,
        stages: StageCounts,
        failures: dict[str, int],
        problem: Problem | None = None,
    ) -> bool:
        """Close an open job with its last counts; only one finisher wins."""
        final = {"counts": counts.model_dump(), "stages": stages.model_dump(), "failures": failures}
        with translating():
            result = self._jobs.update_one(
                {"_id": job_id, "open": True},
                {
                    "$set": {
                        "state": state.value,
                        "finished_at": datetime.now(UTC),
                        "final": final,
                        "problem": problem.model_dump() if problem else None,
                        "open": UNTOLD,
                    },
                },
            )
        return result.modified_count == 1

    def untold(self) -> list[JobRecord]:
        """Jobs that have ended while their view may not say so."""
        with translating():
            return [JobRecord.from_document(row) for row in self._jobs.find({"open": UNTOLD})]

    def note_told(self, job_id: str) -> None:
        """The view of a job says that it has ended."""
        with translating():
            self._jobs.update_one({"_id": job_id, "open": UNTOLD}, {"$unset": {"open": ""}})
