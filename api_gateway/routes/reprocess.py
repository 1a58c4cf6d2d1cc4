"""Reprocess: one stage of what is in the library, again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from api_gateway.dependencies import TheLibrary, User
from api_gateway.problems import declared
from api_gateway.routes.jobs import IdempotencyKey
from api_gateway.routes.samples import sample_filter
from samplemind_tasks.schemas import Job
from samplemind_tasks.stages import ReprocessRequest
from samplemind_tasks.store.pages import SampleFilter

router = APIRouter(tags=["jobs"])


@router.post(
    "/reprocess",
    status_code=202,
    summary="Do a stage again",
    response_description="The job is accepted and will not be lost; follow it at Location.",
    responses=declared(403, 404, 409),
)
async def reprocess_samples(
    request: ReprocessRequest,
    response: Response,
    library: TheLibrary,
    user: User,
    wanted: Annotated[SampleFilter, Depends(sample_filter)],
    key: IdempotencyKey = None,
) -> Job:
    """Take samples of the library through a stage, and what follows from it, again.

    The query's filters are those of the list; with none, the whole library is meant. Of `found`, `skipped` are at
    today's version already, and `cancelled` are those whose files are not there now, or, for `index`, that no model
    has heard; they stay as they are. What a person said of a sample stays in any case.
    """
    job = await library.reprocessing.start(user, request, wanted, key)
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job
