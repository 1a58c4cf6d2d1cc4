"""Search by sound."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from api_gateway.dependencies import SampleId, TheLibrary, User, plain_body
from api_gateway.problems import declared
from api_gateway.routes.uploads import RAW_BODY
from samplemind_tasks.schemas import SimilarSamples

router = APIRouter(tags=["search"])

HitLimit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]


@router.get("/samples/{sample_id}/similar", summary="What sounds like this sample", responses=declared(404, 409))
async def similar_to_sample(
    sample_id: SampleId, library: TheLibrary, user: User, limit: HitLimit = 20
) -> SimilarSamples:
    """The most similar first. 409 while the model has not heard the sample yet."""
    return await library.similar.to_sample(user, sample_id, limit)


@router.post(
    "/similar",
    summary="What sounds like this file",
    responses=declared(413, 415),
    openapi_extra=RAW_BODY,
    dependencies=[Depends(plain_body)],
)
async def similar_to_sound(request: Request, library: TheLibrary, user: User, limit: HitLimit = 20) -> SimilarSamples:
    """Send a sound, at most 64 MB, and find what is like it. Nothing of it is kept."""
    return await library.similar.to_sound(user, request.stream(), limit)
