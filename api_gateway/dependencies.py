"""What a route is given: the library, whose library it is, and checked parameters."""

from typing import Annotated, cast

from fastapi import Depends, Path, Query, Request

from samplemind_tasks.library import Library

LOCAL_USER = "local"
"""The owner of the keyless library."""


async def get_library(request: Request) -> Library:
    """Asynchronous, like the next one, so that no request passes through the thread pool for it."""
    return cast("Library", request.app.state.library)


async def current_user() -> str:
    """Everybody who reaches a gateway bound to loopback is its one user."""
    return LOCAL_USER


TheLibrary = Annotated[Library, Depends(get_library)]
User = Annotated[str, Depends(current_user)]

JobId = Annotated[
    str, Path(pattern=r"^[0-9a-f]{24}$", description="The job's id.", examples=["5f0c9a0b1c2d3e4f5a6b7c8d"])
]
SampleId = Annotated[
    str, Path(pattern=r"^[0-9a-f]{24}$", description="The sample's id.", examples=["9f86d081884c7d659a2feaa0"])
]
Cursor = Annotated[
    str | None, Query(max_length=256, description="`next` of the page before; nothing for the first page.")
]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
FailureLimit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
