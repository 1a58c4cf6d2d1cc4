"""Events as they happen: server-sent, resumable by their ids."""

import asyncio
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Annotated, Any, cast

import anyio
from fastapi import APIRouter, Header, Query, Response
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from api_gateway.dependencies import JobId, TheLibrary, User
from api_gateway.problems import declared
from samplemind_tasks.library.events import Events
from samplemind_tasks.library.listeners import Listener, Told
from samplemind_tasks.store.events import NO_MORE

PING_S = 15
"""A comment this often keeps proxies from closing a quiet stream, and finds out who has gone."""
SEND_TIMEOUT_S = 30.0
"""Who takes nothing for this long is let go; with `Last-Event-ID` it misses nothing."""
LONGEST_S = 900.0
"""Then a stream ends and is asked for anew, losing nothing: that is when a key that was revoked is noticed."""
ENDING_S = 1.0
"""At shutdown a stream has this long to end by itself: less than the server's own patience."""
RECONNECT_MS = 2000
"""A browser that lost the stream waits so long before it asks again."""
_RECONNECT = f"retry: {RECONNECT_MS}\r\n\r\n".encode()

EXAMPLE = """event: job
id: 1764084532123456
data: {"id": "5f0c9a0b1c2d3e4f5a6b7c8d", "state": "running", "counts": {"found": 640, "done": 212}}

"""

router = APIRouter(tags=["events"])

_WHERE = "The id of the last event you were told. Nothing that changed since is left out, or told twice."
LastEventId = Annotated[
    int | None,
    Header(alias="Last-Event-ID", ge=0, le=NO_MORE, description=f"{_WHERE} Browsers send it when they reconnect."),
]
After = Annotated[
    int | None, Query(ge=0, le=NO_MORE, description=f"{_WHERE} For a first connection, which sends no header.")
]
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events, until you close it.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}
TOLD: dict[int | str, dict[str, Any]] = {204: {"description": "It has ended, and you were told: do not ask again."}}


@router.get(
    "/jobs/{job_id}/events",
    summary="Follow a job by events",
    response_class=Response,
    responses=declared(404, 429) | STREAM | TOLD,
)
async def job_events(
    job_id: JobId, library: TheLibrary, user: User, last_event_id: LastEventId = None, after: After = None
) -> Response:
    """The job as it is now, then each change, four times a second at most; `done` is the last and ends the stream.

    Events are `job` and `done`, each with the whole job; `away` and `back` when a store goes away and comes back.
    """
    known = after if last_event_id is None else last_event_id
    listener = await library.events.of_job(user, job_id, known)
    return Response(status_code=204) if listener is None else Stream(library.events, listener)


@router.get("/events", summary="Follow everything", response_class=Response, responses=declared(429) | STREAM)
async def all_events(
    library: TheLibrary, user: User, last_event_id: LastEventId = None, after: After = None
) -> Response:
    """All that changes in your library, from now on or from where you were.

    `start`: read what you show now; what changes from then on follows. `job`, `done`: the whole job. `samples`: ids of
    samples that were edited or deleted. `library`: running counts of what became searchable, and of changes of many
    samples at once. `away`, `back`: a store does not answer, and answers again.
    """
    known = after if last_event_id is None else last_event_id
    return Stream(library.events, await library.events.of_user(user, known))


class Stream(EventSourceResponse):
    """A listener's events on the wire, until it ends, its client goes, or the server stops."""

    def __init__(self, events: Events, listener: Listener) -> None:
        super().__init__(
            _frames(listener),
            ping=PING_S,
            ping_message_factory=lambda: ServerSentEvent(comment="still here"),
            send_timeout=SEND_TIMEOUT_S,
            shutdown_event=cast("anyio.Event", _Ending(listener)),
            shutdown_grace_period=ENDING_S,
        )
        self._events = events
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        end = asyncio.get_running_loop().call_later(LONGEST_S, self._listener.end)
        try:
            await super().__call__(scope, receive, send)
        finally:
            end.cancel()
            self._events.leave(self._listener)


class _Ending:
    """What sse-starlette sets when the server is told to stop."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def set(self) -> None:
        self._listener.end()


async def _frames(listener: Listener) -> AsyncIterator[bytes]:
    yield _RECONNECT
    async for told in listener:
        yield _frame(told)


@lru_cache(maxsize=256)
def _frame(told: Told) -> bytes:
    """An event as it is sent: made once, however many hear it."""
    return ServerSentEvent(told.text, event=told.happening, id=str(told.version) if told.version else None).encode()
