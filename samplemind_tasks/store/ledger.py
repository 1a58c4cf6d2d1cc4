"""Jobs and their failures as the gateway writes and reads them, on its event loop."""

import math
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from pymongo import DESCENDING
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from samplemind_tasks.schemas import Failure, FailurePage, JobState
from samplemind_tasks.store.chunks import Chunk, belongs
from samplemind_tasks.store.jobs import JobRecord
from samplemind_tasks.store.mongo import Document, translating
from samplemind_tasks.store.pages import decode_cursor, encode_cursor
from samplemind_tasks.store.retried import Retried

EXAMINED_JOBS = 1_000
"""A page of jobs of one state looks at this many; `next` leads on from there."""
EXAMINED_FAILURES = 5_000
SMALL_LIST = 1_000
"""Failures of one code up to this many are read at once."""
BATCH = 64
FIRST_DAY = datetime(2000, 1, 1, tzinfo=UTC)
PLACE_DIGITS = 12
"""Hexadecimal digits of a place's id that a range of places is cut by."""
PLACE_SPACE = 16**PLACE_DIGITS


@dataclass(frozen=True)
class FoundJobs:
    """A page of job records."""

    records: list[JobRecord]
    next: str | None


class Ledger:
    """Job and failure documents of MongoDB."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db = db
        self.retried = Retried(db)
        """Which failures were taken up again."""

    # -- jobs ---------------------------------------------------------------------------------------------------------

    async def insert(self, document: Document) -> bool:
        """Write a new job; False when there is one of this id already."""
        with translating():
            try:
                await self._db.jobs.insert_one(document)
            except DuplicateKeyError:
                return False
        return True

    async def job(self, user_id: str, job_id: str) -> JobRecord | None:
        """A user's job."""
        found = await self._found(job_id)
        return JobRecord.from_document(found) if found and found["user_id"] == user_id else None

    async def fingerprint(self, user_id: str, job_id: str) -> str | None:
        """What the request that made a job looked like; None when there is no such job."""
        found = await self._found(job_id)
        return found["fingerprint"] if found and found["user_id"] == user_id else None

    async def _found(self, job_id: str) -> Document | None:
        with translating():
            return await self._db.jobs.find_one({"_id": job_id})

    async def jobs(self, user_id: str, state: JobState | None, limit: int, cursor: str | None) -> FoundJobs:
        """One page, the newest first. The requests of the records are left out: they may be long."""
        moment, last_id = datetime.now(UTC), "~"
        if cursor:
            millis, last = decode_cursor("jobs", cursor, int, str)
            moment, last_id = datetime.fromtimestamp(int(millis) / 1000, UTC), str(last)
        found: list[JobRecord] = []
        examined = 0
        while len(found) <= limit and examined < EXAMINED_JOBS:
            rows = await self._jobs_before(user_id, moment, last_id, limit + 1)
            found += [row for row in rows if state in (None, row.state)]
            examined += len(rows)
            if len(rows) <= limit:
                return FoundJobs(found[:limit], _job_cursor(found[limit - 1]) if len(found) > limit else None)
            moment, last_id = rows[-1].created_at, rows[-1].id
        return FoundJobs(found[:limit], _job_cursor(found[limit - 1]) if len(found) > limit else _job_cursor(rows[-1]))

    async def _jobs_before(self, user_id: str, moment: datetime, last_id: str, count: int) -> list[JobRecord]:
        """Jobs older than a moment, or of that moment and below an id, in order."""
        ask = count + 8  # several jobs may have come in the same millisecond
        while True:
            with translating():
                rows = (
                    await self._db.jobs.find(
                        {"user_id": user_id, "created_at": {"$gte": FIRST_DAY, "$lte": moment}}, {"request": 0}
                    )
                    .sort([("created_at", DESCENDING), ("_id", DESCENDING)])
                    .limit(ask)
                    .to_list()
                )
            after = [row for row in rows if (row["created_at"], row["_id"]) < (moment, last_id)]
            if len(after) >= count or len(rows) < ask:
                return [JobRecord.from_document({**row, "request": {}}) for row in after[:count]]
            ask *= 2

    async def raise_flag(self, user_id: str, job_id: str, flag: str, value: bool) -> bool:
        """Set `cancel` or `pause` of an open job; False when it is not open, or not there."""
        with translating():
            result = await self._db.jobs.update_one(
                {"_id": job_id, "user_id": user_id, "open": True}, {"$set": {flag: value}}
            )
        return result.matched_count == 1

    async def chunks(self, job: JobRecord) -> list[Chunk]:
        """All chunks of a job: to rebuild a view that was lost."""
        with translating():
            found = [Chunk.from_document(row) for row in await self._db.chunks.find({"job": job.id}).to_list()]
        return [chunk for chunk in found if belongs(chunk, job.scan)]

    async def open_jobs(self) -> Counter[str]:
        """How many jobs are not finished, by user."""
        with translating():
            rows = await self._db.jobs.find({"open": True}, {"user_id": 1}).to_list()
        return Counter(row["user_id"] for row in rows)

    # -- failures -----------------------------------------------------------------------------------------------------

    async def failures(
        self, job_id: str, code: str | None, by_code: dict[str, int], limit: int, cursor: str | None
    ) -> FailurePage:
        """One page, in the order of the places' ids. by_code says how many to expect, and so how to read.

        Ids of places are evenly spread hashes: a stretch of them holds a foreseeable number of failures, and a closed
        stretch of an index is quick on any server, where "the first 100 of many" is not.
        """
        after = str(decode_cursor("failures", cursor, str)[0]) if cursor else ""
        expected = by_code.get(code, 0) if code else sum(by_code.values())
        if expected <= SMALL_LIST:
            rows = await self._matching(job_id, {"job": job_id} | ({"code": code} if code else {}))
            found = [row for row in rows if row.place > after]
            return _failure_page(found, limit, None)
        found, examined, start = [], 0, int(after[:PLACE_DIGITS].ljust(PLACE_DIGITS, "0"), 16) if after else 0
        width = max(1, math.ceil(PLACE_SPACE * (limit + 1) / expected))
        while start < PLACE_SPACE and len(found) <= limit and examined < EXAMINED_FAILURES:
            end = min(start + width, PLACE_SPACE)
            stretch = {
                "$gte": f"{start:0{PLACE_DIGITS}x}",
                "$lt": f"{end:0{PLACE_DIGITS}x}" if end < PLACE_SPACE else "g",
            }
            rows = await self._matching(job_id, {"job": job_id, "place": stretch})
            found += [row for row in rows if row.place > after and code in (None, row.code.value)]
            examined += len(rows)
            start = end
        return _failure_page(found, limit, _place_at(start) if start < PLACE_SPACE else None)

    async def failures_at(self, job_id: str, places: list[str]) -> list[Failure]:
        """The failures of some places."""
        found: list[Failure] = []
        for start in range(0, len(places), BATCH):
            ids = [f"{job_id}:{place}" for place in places[start : start + BATCH]]
            found += await self._matching(job_id, {"_id": {"$in": ids}})
        return found

    async def _matching(self, job_id: str, query: Document) -> list[Failure]:
        with translating():
            rows = sorted(await self._db.failures.find(query).to_list(), key=lambda row: str(row["place"]))
        taken = await self.retried.between(job_id, rows[0]["place"], rows[-1]["place"]) if rows else {}
        fields = Failure.model_fields
        # a job before the marks were kept apart has them in the failure itself
        marked = ({**row, "retried_by": taken.get(row["place"], row.get("retried_by"))} for row in rows)
        return [Failure.model_validate({name: row.get(name) for name in fields}) for row in marked]

    async def open_failures(self, job_id: str, code: str | None) -> str | None:
        """The cursor of the first page of failures that may not have been taken up yet."""
        last = await self.retried.none_left_to(job_id, code)
        return encode_cursor("failures", last) if last else None


def _job_cursor(last: JobRecord) -> str:
    return encode_cursor("jobs", round(last.created_at.timestamp() * 1000), last.id)


def _place_at(position: int) -> str:
    """The first id of a place at a position of the space of ids; "g" is behind them all."""
    return f"{position:0{PLACE_DIGITS}x}" if position < PLACE_SPACE else "g"


def _failure_page(found: list[Failure], limit: int, resume: str | None) -> FailurePage:
    """A page of what was found; `resume` is where reading stopped, when it stopped early."""
    if len(found) > limit:
        return FailurePage(failures=found[:limit], next=encode_cursor("failures", found[limit - 1].place))
    return FailurePage(failures=found, next=encode_cursor("failures", resume) if resume else None)
