"""Queues: what waits where, and holding one up."""

from typing import Annotated

from fastapi import APIRouter, Path

from api_gateway.dependencies import TheLibrary
from api_gateway.problems import declared
from api_gateway.scopes import needs
from samplemind_tasks.access import Scope
from samplemind_tasks.queue_views import Queues

router = APIRouter(tags=["queues"])

QueueName = Annotated[str, Path(max_length=32, description="The queue's name.", examples=["cpu"])]


@router.get("/queues", summary="Look at the queues", responses=declared())
async def list_queues(library: TheLibrary) -> Queues:
    """What waits in each of the queues that work passes through, who takes from it, and whether it is paused."""
    return await library.queues.all()


@router.post("/queues/{queue}/pause", summary="Pause a queue", responses=declared(404, 409))
@needs(Scope.ADMIN)
async def pause_queue(queue: QueueName, library: TheLibrary) -> Queues:
    """Hand out nothing more of it until it is resumed. What is at work ends; a restart changes nothing.

    `cpu` and `gpu` carry bulk work, `cpu.now` and `gpu.now` what a person waits for: each is paused by itself.
    """
    return await library.queues.pause(queue)


@router.post("/queues/{queue}/resume", summary="Resume a queue", responses=declared(404, 409))
@needs(Scope.ADMIN)
async def resume_queue(queue: QueueName, library: TheLibrary) -> Queues:
    """Let a paused queue go on. No attempt was counted against what waited."""
    return await library.queues.resume(queue)
