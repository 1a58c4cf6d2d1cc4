"""Prometheus' view: what this gateway answered, and how the work of all workers stands."""

from fastapi import APIRouter, Response
from starlette.requests import Request

from api_gateway.dependencies import TheLibrary, User
from api_gateway.exposition import CONTENT_TYPE, exposition
from api_gateway.request_metrics import RequestMetrics

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Text exposition."}},
)
async def get_metrics(request: Request, library: TheLibrary, _: User) -> Response:
    """Counters and gauges in Prometheus' text format. Those of queues and workers are the same at every gateway."""
    requests: RequestMetrics = request.app.state.request_metrics
    text = exposition(await library.metrics.look(), requests)
    return Response(text, media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})
