"""Jobs: ask for one, look at it, take up its failures again, stop it."""

import asyncio
import re
from collections.abc import Sequence

from pathspec import GitIgnoreSpec

from samplemind_tasks.errors import BadRequest, Conflict, NotFound, StoreUnavailable
from samplemind_tasks.library.admission import Admission
from samplemind_tasks.library.digest import digest
from samplemind_tasks.library.disk import Disk, Target, at_path
from samplemind_tasks.library.nudges import Nudges
from samplemind_tasks.logs import get_log
from samplemind_tasks.queues import Queue
from samplemind_tasks.schemas import (
    LISTED_KINDS,
    TERMINAL_STATES,
    Failure,
    FailurePage,
    Job,
    JobKind,
    JobPage,
    JobRequest,
    JobState,
    RetryJob,
    RetryRequest,
)
from samplemind_tasks.store.catalog import Catalog
from samplemind_tasks.store.jobs import JobRecord, new_job_document
from samplemind_tasks.store.ledger import Ledger
from samplemind_tasks.store.live import Views
from samplemind_tasks.store.mongo import Document
from samplemind_tasks.store.progress import job_from_record
from samplemind_tasks.store.retried import EVERY

MOST_RETRIED = 5_000
"""Places a retry takes up at once; its answer says when there are more."""
READ_AT_ONCE = 16

_WISHES = {"rerun", "restore", "tempo_range_bpm"}
"""What every kind of job may ask for."""

log = get_log(__name__)


class Jobs:
    """What can be done with jobs."""

    def __init__(
        self, ledger: Ledger, admission: Admission, catalog: Catalog, views: Views, nudges: Nudges, disk: Disk
    ) -> None:
        self._ledger = ledger
        self._admission = admission
        self._catalog = catalog
        self._views = views
        self._nudges = nudges
        self._disk = disk
        self._rebuilding: dict[str, asyncio.Task[None]] = {}

    # -- asking -------------------------------------------------------------------------------------------------------

    async def submit(self, user_id: str, request: JobRequest, key: str | None = None) -> Job:
        """Accept a job. With a key, asking twice is asking once."""
        _check_globs(request)
        fingerprint = digest(request.model_dump(mode="json"))
        job_id = job_id_of(user_id, key)
        if job_id and (known := await self.asked_before(user_id, job_id, fingerprint)):
            return known
        if request.path is not None:
            target = await self.target(user_id, request.path)
            wanted = request.model_dump(mode="json", include={"include", "exclude", *_WISHES})
            document = new_job_document(
                user_id=user_id, kind=JobKind.FOLDER, request=wanted, path=str(target.path), root=str(target.root),
                job_id=job_id, fingerprint=fingerprint,
            )  # fmt: skip
        else:
            uploads = list(dict.fromkeys(request.uploads or []))
            await self._check_uploads(user_id, uploads)
            wanted = request.model_dump(mode="json", include=_WISHES)
            wanted |= {"uploads": uploads, "places": uploads}
            document = new_job_document(
                user_id=user_id, kind=JobKind.UPLOADS, request=wanted, job_id=job_id, fingerprint=fingerprint
            )
        return await self.accept(user_id, document, fingerprint)

    async def accept(self, user_id: str, document: Document, fingerprint: str) -> Job:
        """Take in a new job's document; where there is one of its id already, that is the job.

        Raises
        ------
        TooMany : the user has as many open as one may.
        """
        await self._admission.take_in(user_id)
        if await self._ledger.insert(document):
            return await self._accepted(JobRecord.from_document(document))
        return await self._known(user_id, document, fingerprint)

    async def target(self, user_id: str, path: str) -> Target:
        """Where to look. A folder that is gone may still be asked for where samples live: its disk is not mounted."""
        target = await self._disk.target(path)
        if not target.is_there and not await self._catalog.lives_below(user_id, target.root, target.path):
            raise at_path(NotFound, "path_not_found", f"there is no {path}")
        return target

    async def _known(self, user_id: str, document: Document, fingerprint: str) -> Job:
        """The job that was inserted a moment before ours."""
        known = await self.asked_before(user_id, document["_id"], fingerprint)
        if known is None:
            raise Conflict("this key cannot be used; choose another", code="idempotency_mismatch")
        return known

    async def asked_before(self, user_id: str, job_id: str, fingerprint: str) -> Job | None:
        """The job that an earlier request with the same key made; refuses a key that was used for another."""
        known = await self._ledger.fingerprint(user_id, job_id)
        if known is None:
            return None
        if known != fingerprint:
            message = "this Idempotency-Key was used for another request"
            fields = [{"field": "Idempotency-Key", "message": message}]
            raise Conflict(message, code="idempotency_mismatch", detail={"fields": fields, "job": job_id})
        return await self.get(user_id, job_id)

    async def _check_uploads(self, user_id: str, uploads: Sequence[str]) -> None:
        missing = await self._catalog.missing_uploads(user_id, uploads)
        if missing:
            message = f"no such upload: {', '.join(missing[:3])}"
            raise NotFound(
                message, code="upload_not_found", detail={"fields": [{"field": "uploads", "message": message}]}
            )

    async def _accepted(self, record: JobRecord) -> Job:
        """Open the view and tell the workers. Neither is needed: both are made up for when they fail."""
        try:
            await self._views.rebuild(record, ())
        except StoreUnavailable as error:
            log.warning("view_not_opened", job=record.id, why=error.message)
        if record.kind in LISTED_KINDS:
            self._nudges.nudge("scan.slice", record.id, queue=Queue.SCAN)
        else:
            self._nudges.nudge("control.dispatch", record.id, queue=Queue.CONTROL)
        return job_from_record(record)

    # -- looking ------------------------------------------------------------------------------------------------------

    async def get(self, user_id: str, job_id: str) -> Job:
        """A job as it is now: one round trip, unless its view was lost."""
        view = await self._views.read(job_id)
        if view is not None:
            if view.user_id != user_id:
                raise _no_such_job(job_id)
            return view.job
        record = await self._record(user_id, job_id)
        return job_from_record(record) if record.state in TERMINAL_STATES else await self._rebuilt(record)

    async def page(self, user_id: str, state: JobState | None, limit: int, cursor: str | None) -> JobPage:
        """A page of jobs, the newest first."""
        found = await self._ledger.jobs(user_id, state, limit, cursor)
        jobs: list[Job] = []
        for start in range(0, len(found.records), READ_AT_ONCE):
            jobs += await asyncio.gather(*map(self._now, found.records[start : start + READ_AT_ONCE]))
        return JobPage(jobs=jobs, next=found.next)

    async def _now(self, record: JobRecord) -> Job:
        if record.state in TERMINAL_STATES:
            return job_from_record(record)
        view = await self._views.read(record.id)
        return view.job if view else await self._rebuilt(record)

    async def failures(
        self, user_id: str, job_id: str, code: str | None, limit: int, cursor: str | None
    ) -> FailurePage:
        """A page of the places without a result."""
        job = await self.get(user_id, job_id)
        return await self._ledger.failures(job_id, code, job.failures, limit, cursor)

    async def _record(self, user_id: str, job_id: str) -> JobRecord:
        record = await self._ledger.job(user_id, job_id)
        if record is None:
            raise _no_such_job(job_id)
        return record

    async def _rebuilt(self, record: JobRecord) -> Job:
        """An open job whose view was lost. However many ask at once, it is counted once."""
        rebuilding = self._rebuilding.get(record.id)
        if rebuilding is None:
            rebuilding = asyncio.create_task(self._rebuild(record))
            self._rebuilding[record.id] = rebuilding
            rebuilding.add_done_callback(lambda _: self._rebuilding.pop(record.id, None))
        await asyncio.shield(rebuilding)
        view = await self._views.read(record.id)
        return view.job if view else job_from_record(record)

    async def _rebuild(self, record: JobRecord) -> None:
        await self._views.rebuild(record, await self._ledger.chunks(record))
        fresh = await self._ledger.job(record.user_id, record.id)
        if fresh is not None and (fresh.state, fresh.scan.rev) != (record.state, record.scan.rev):
            # it moved on while we counted, perhaps to its end, after which nobody would correct the view
            await self._views.rebuild(fresh, ())

    # -- steering -----------------------------------------------------------------------------------------------------

    async def cancel(self, user_id: str, job_id: str) -> Job:
        """Stop a job; what is done stays. Cancelling a cancelled job changes nothing."""
        return await self._steer(user_id, job_id, "cancel", True)

    async def pause(self, user_id: str, job_id: str) -> Job:
        """Send no more chunks until `resume`."""
        return await self._steer(user_id, job_id, "pause", True)

    async def resume(self, user_id: str, job_id: str) -> Job:
        """Let a paused job go on."""
        return await self._steer(user_id, job_id, "pause", False)

    async def _steer(self, user_id: str, job_id: str, flag: str, value: bool) -> Job:
        if await self._ledger.raise_flag(user_id, job_id, flag, value):
            self._nudges.nudge("control.dispatch", job_id, queue=Queue.CONTROL)
            return await self._shown(await self._record(user_id, job_id))
        record = await self._record(user_id, job_id)
        if flag == "cancel" and record.state is JobState.CANCELLED:
            return job_from_record(record)
        raise Conflict(
            f"the job has ended ({record.state.value})", code="job_ended", detail={"state": record.state.value}
        )

    async def _shown(self, record: JobRecord) -> Job:
        """The job with its flag on it, in the view as well as in the answer."""
        view = await self._views.read(record.id)
        if view is None:
            return await self._rebuilt(record)
        await self._views.rebuild(record, ())
        return view.job.model_copy(update={"state": record.shown_state})

    async def retry(self, user_id: str, job_id: str, request: RetryRequest) -> RetryJob:
        """Take failures up again as a job of their own, which is named by them: asking twice at once makes one job."""
        job = await self.get(user_id, job_id)
        places, more = await self._to_retry(job, request)
        if not places:
            raise Conflict("there is nothing to retry: no such failures, or taken up already", code="nothing_to_retry")
        document = new_job_document(
            user_id=user_id, kind=JobKind.RETRY, request={"places": places}, path=job.path, retry_of=job_id,
            job_id=digest([user_id, "retry", job_id, *places])[:24],
        )  # fmt: skip
        await self._admission.take_in(user_id)
        is_new = await self._ledger.insert(document)
        is_whole = request.places is None and job.state in TERMINAL_STATES  # more may come to one that runs
        await self._ledger.retried.mark(job_id, places, document["_id"], (request.code or EVERY) if is_whole else None)
        retried = (
            await self._accepted(JobRecord.from_document(document))
            if is_new
            else await self.get(user_id, document["_id"])
        )
        return RetryJob(**retried.model_dump(), more=more)

    async def _to_retry(self, job: Job, request: RetryRequest) -> tuple[list[str], bool]:
        """Places whose failures nobody has taken up yet, and whether there are more than one job takes."""
        if request.places is not None:
            found = await self._ledger.failures_at(job.id, sorted(set(request.places)))
            return [row.place for row in found if _is_open(row, request.code)], False
        places: list[str] = []
        cursor = await self._ledger.open_failures(job.id, request.code)
        while True:
            page = await self._ledger.failures(job.id, request.code, job.failures, 1_000, cursor)
            places += [row.place for row in page.failures if _is_open(row, request.code)]
            cursor = page.next
            if cursor is None or len(places) > MOST_RETRIED:
                return places[:MOST_RETRIED], len(places) > MOST_RETRIED

    async def close(self) -> None:
        await self._views.close()


def _check_globs(request: JobRequest) -> None:
    """Refuse a pattern that is none, or that nothing can match: silently, it would leave out everything or nothing.

    Raises
    ------
    BadRequest : with the fields at fault.
    """
    lists = {"include": request.include, "exclude": request.exclude}
    wrong = [f"{name}.{at}" for name, globs in lists.items() for at, glob in enumerate(globs) if not _is_glob(glob)]
    if wrong:
        message = 'no pattern that could match a file; write it like "*.wav" or "Loops/"'
        fields = [{"field": name, "message": message} for name in wrong]
        raise BadRequest(f"{wrong[0]}: {message}", detail={"fields": fields})


def _is_glob(text: str) -> bool:
    try:
        return any(pattern.include is not None for pattern in GitIgnoreSpec.from_lines([text]).patterns)
    except (ValueError, re.error):  # re.error: pathspec does not look into [z-a]
        return False


def _is_open(failure: Failure, code: str | None) -> bool:
    return failure.retried_by is None and code in (None, failure.code.value)


def _no_such_job(job_id: str) -> NotFound:
    return NotFound(f"there is no job {job_id}", code="not_found")


def job_id_of(user_id: str, key: str | None) -> str | None:
    """The id of the job that an idempotency key names."""
    return digest([user_id, key])[:24] if key else None
