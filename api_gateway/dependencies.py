"""What a route is given: the library, whose library it is, and checked parameters."""

from typing import Annotated, cast, get_origin

from fastapi import Depends, Path, Query, Request
from fastapi.dependencies.models import Dependant
from starlette.exceptions import HTTPException

from samplemind_tasks.access import Caller
from samplemind_tasks.errors import BadRequest
from samplemind_tasks.library import Library


async def get_library(request: Request) -> Library:
    """Asynchronous, like the next one, so that no request passes through the thread pool for it."""
    return cast("Library", request.app.state.library)


async def current_user(request: Request) -> str:
    """Whose library is asked about: the user of the key that was sent."""
    return cast("Caller", request.state.caller).user


async def only_known_parameters(request: Request) -> None:
    """Refuse a query parameter the route does not read: a filter that is misspelt would answer unfiltered."""
    if request.query_params:
        dependant = request.scope["route"].dependant
        known = _query_names(dependant)
        unknown = [name for name in request.query_params if name not in known]
        if unknown:
            message = f"there is no such parameter here; known: {', '.join(sorted(known)) or 'none'}"
            fields = [{"field": name, "message": message} for name in unknown]
            raise BadRequest(f"{unknown[0]}: {message}", detail={"fields": fields})
        _given_once(request, _list_names(dependant))


def _given_once(request: Request, lists: set[str]) -> None:
    """Of a parameter that is given twice one would count, and nobody knows which."""
    twice = [name for name in request.query_params if len(request.query_params.getlist(name)) > 1 and name not in lists]
    if twice:
        message = "is given more than once, and takes one value"
        raise BadRequest(f"{twice[0]} {message}", detail={"fields": [{"field": twice[0], "message": message}]})


def _query_names(dependant: Dependant) -> set[str]:
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_query_names(part) for part in dependant.dependencies))


def _list_names(dependant: Dependant) -> set[str]:
    own = {field.alias for field in dependant.query_params if get_origin(field.field_info.annotation) is list}
    return own.union(*(_list_names(part) for part in dependant.dependencies))


async def plain_body(request: Request) -> None:
    """Refuse a multipart form, whose wrapper would be kept as the sound. Any other type says nothing of the bytes."""
    if request.headers.get("Content-Type", "").lower().startswith("multipart/"):
        url = request.url.path + ("?name=kick.wav" if request.url.path.endswith("/uploads") else "")
        command = f"curl --data-binary @kick.wav '{request.url.netloc}{url}'"
        raise HTTPException(415, f"send the file itself, not a form: {command}")


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
FolderOrFile = Annotated[
    str | None, Query(min_length=1, max_length=4096, description="Only what lives in this folder, or is this file.")
]
InCollection = Annotated[
    str | None, Query(pattern=r"^[0-9a-f]{24}$", description="Only what is in this collection, in its order.")
]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
FailureLimit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
