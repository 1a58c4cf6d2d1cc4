"""Sending files to the server."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from api_gateway.dependencies import TheLibrary, User, plain_body
from api_gateway.problems import declared
from samplemind_tasks.schemas import Uploaded

router = APIRouter(tags=["uploads"])

RAW_BODY = {
    "requestBody": {
        "required": True,
        "description": "The file's bytes, as they are: no multipart form.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "/uploads",
    status_code=201,
    summary="Upload a sound",
    response_description="The upload is stored; name its id in a job to have it analysed.",
    responses=declared(413, 415),
    openapi_extra=RAW_BODY,
    dependencies=[Depends(plain_body)],
)
async def upload_sound(
    request: Request,
    library: TheLibrary,
    user: User,
    name: Annotated[
        str,
        Query(
            min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$", description="The file's name, kept as text.",
            examples=["kick 01.wav"],
        ),
    ],
) -> Uploaded:  # fmt: skip
    """Store a file. It is hashed on the way, and kept once however often it is sent.

    `curl --data-binary @kick.wav "$URL/v1/uploads?name=kick.wav"` sends one. Nothing is analysed yet: the next
    step is `POST /v1/jobs` with the ids that were answered: `{"uploads": ["4e07408562bedb8b60ce05c1"]}`.
    """
    return await library.uploads.add(user, name, request.stream())
