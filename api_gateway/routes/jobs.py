"""Jobs: ask for an analysis, follow it, stop it."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from api_gateway.conditional import etag_of, has_already
from api_gateway.dependencies import Cursor, FailureLimit, JobId, Limit, TheLibrary, User
from api_gateway.problems import declared
from samplemind_tasks.errors import BadRequest, FailureCode
from samplemind_tasks.schemas import FailurePage, Job, JobPage, JobRequest, JobState, RetryJob, RetryRequest

router = APIRouter(tags=["jobs"])

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=200, description="Asking twice with one key is asking once."
    ),
]
IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match", description="The ETag of the last answer.")]


@router.post(
    "/jobs",
    status_code=202,
    summary="Analyse a folder or uploads",
    response_description="The job is accepted and will not be lost; follow it at Location.",
    responses=declared(403, 404, 409, 413),
)
async def submit_job(
    request: JobRequest, response: Response, library: TheLibrary, user: User, key: IdempotencyKey = None
) -> Job:
    """Ask for a folder on the server, or for uploads, to be analysed and made searchable."""
    if (request.path is None) == (request.uploads is None):
        message = "give either a path or uploads"
        raise BadRequest(message, detail={"fields": [{"field": "path", "message": message}]})
    job = await library.jobs.submit(user, request, key)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


@router.get("/jobs", summary="List jobs", responses=declared())
async def list_jobs(
    library: TheLibrary,
    user: User,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[JobState | None, Query(description="Only jobs in this state.")] = None,
) -> JobPage:
    """The newest first."""
    return await library.jobs.page(user, state, limit, cursor)


@router.get(
    "/jobs/{job_id}",
    summary="Follow a job",
    response_model=Job,
    responses=declared(404) | {304: {"description": "Nothing has changed since that ETag."}},
)
async def get_job(job_id: JobId, library: TheLibrary, user: User, if_none_match: IfNoneMatch = None) -> Response:
    """A job as it is now: counts, stages, failures by code, rate and time left. Cheap to poll."""
    body = (await library.jobs.get(user, job_id)).model_dump_json().encode()
    # a hash of the answer itself is right also after the view was rebuilt, when its edits count from the start again
    etag = etag_of(body)
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if has_already(if_none_match, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@router.get("/jobs/{job_id}/failures", summary="List a job's failures", responses=declared(404))
async def list_failures(
    job_id: JobId,
    library: TheLibrary,
    user: User,
    code: Annotated[FailureCode | None, Query(description="Only failures of this code.")] = None,
    limit: FailureLimit = 100,
    cursor: Cursor = None,
) -> FailurePage:
    """The places without a result, each with a code and a sentence."""
    return await library.jobs.failures(user, job_id, code.value if code else None, limit, cursor)


@router.post(
    "/jobs/{job_id}/retry",
    status_code=202,
    summary="Retry failures",
    response_description="A new job takes them up.",
    responses=declared(404, 409, 413),
)
async def retry_failures(
    job_id: JobId, response: Response, library: TheLibrary, user: User, request: RetryRequest | None = None
) -> RetryJob:
    """Take up the failures of a job again, as a new job: all, those of one code, or those of some places."""
    job = await library.jobs.retry(user, job_id, request or RetryRequest())
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job


@router.post("/jobs/{job_id}/cancel", status_code=202, summary="Cancel a job", responses=declared(404, 409))
async def cancel_job(job_id: JobId, library: TheLibrary, user: User) -> Job:
    """Stop a job. What is analysed stays."""
    return await library.jobs.cancel(user, job_id)


@router.post("/jobs/{job_id}/pause", status_code=202, summary="Pause a job", responses=declared(404, 409))
async def pause_job(job_id: JobId, library: TheLibrary, user: User) -> Job:
    """Hand out no more of its work until it is resumed."""
    return await library.jobs.pause(user, job_id)


@router.post("/jobs/{job_id}/resume", status_code=202, summary="Resume a job", responses=declared(404, 409))
async def resume_job(job_id: JobId, library: TheLibrary, user: User) -> Job:
    """Let a paused job go on."""
    return await library.jobs.resume(user, job_id)
