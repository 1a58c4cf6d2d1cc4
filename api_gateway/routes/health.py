"""How everything is."""

from fastapi import APIRouter, Response

from api_gateway.dependencies import TheLibrary, User
from api_gateway.problems import declared
from samplemind_tasks.schemas import Readiness, Stats

router = APIRouter(tags=["health"])


@router.get("/stats", summary="The library in numbers", responses=declared())
async def get_stats(library: TheLibrary, user: User) -> Stats:
    """Samples by state and kind, bytes and seconds. A few seconds old at most on a library of ordinary size."""
    return await library.health.stats(user)


@router.get("/health/live", status_code=204, summary="Is the gateway alive?")
async def get_live() -> None:
    """Answers while the process runs; asks nobody else."""


@router.get(
    "/health/ready",
    summary="Can requests be served?",
    responses={503: {"model": Readiness, "description": "A store is away."}},
)
async def get_ready(response: Response, library: TheLibrary, user: User) -> Readiness:
    """Every store, and every kind of worker, with what to do where one is away."""
    readiness = await library.health.readiness(user)
    response.status_code = 200 if readiness.ready else 503
    response.headers["Cache-Control"] = "no-store"
    return readiness
