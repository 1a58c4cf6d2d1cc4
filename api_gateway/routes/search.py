"""Search: by text, by samples, by a sound that is sent, with filters; and duplicates."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import ValidationError

from api_gateway.dependencies import Cursor, Limit, SampleId, TheLibrary, User, plain_body
from api_gateway.problems import declared, invalid_fields
from api_gateway.scopes import needs
from samplemind_tasks.access import Scope
from samplemind_tasks.errors import BadRequest
from samplemind_tasks.queries import MOST_HITS, DuplicatePage, LookupAnswer, ReindexAnswer, SearchAnswer, SearchQuery

router = APIRouter(tags=["search"])

HitLimit = Annotated[int, Query(ge=1, le=MOST_HITS, description="How many at most.")]
MOST_QUERY_TEXT = 16_384
JSON = "application/json"
BODY = {
    "requestBody": {
        "required": True,
        "description": "A query as JSON; or, with any other content type, the bytes of a sound to search with.",
        "content": {
            JSON: {"schema": {"$ref": "#/components/schemas/SearchQuery"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.post(
    "/search",
    summary="Search",
    responses=declared(404, 409, 413, 415),
    openapi_extra=BODY,
    dependencies=[Depends(plain_body)],
)
@needs(Scope.READ)
async def search(
    request: Request,
    library: TheLibrary,
    user: User,
    query: Annotated[
        str,
        Query(max_length=MOST_QUERY_TEXT, description="The rest of the query as JSON, where the body is a sound."),
    ] = "",
) -> SearchAnswer:
    """Find samples by a text, by what they should sound like and unlike, and by filters; any mix of these.

    A body of JSON is the query. Any other body is a sound, at most 64 MB: it counts as one more entry of `like`, and
    the answer names it in `sound`, so that it need not be sent again within the hour. Each hit says how it was found.
    """
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() == JSON:
        return await library.search.find(user, _query(await request.body(), "body"))
    return await library.search.find(user, _query(query.encode() or b"{}", "query"), request.stream())


def _query(text: bytes, field: str) -> SearchQuery:
    """A query from its JSON, with the fields at fault."""
    try:
        return SearchQuery.model_validate(json.loads(text))
    except ValidationError as error:
        fields = invalid_fields(error.errors(), field)
        message = "; ".join(f"{row['field']}: {row['message']}" for row in fields[:3])
        raise BadRequest(message, detail={"fields": fields}) from error
    except (ValueError, RecursionError) as error:
        message = f"this is no JSON: {error}"
        raise BadRequest(message, detail={"fields": [{"field": field, "message": message}]}) from error


@router.get("/samples/{sample_id}/similar", summary="What sounds like this sample", responses=declared(404, 409))
async def similar_to_sample(sample_id: SampleId, library: TheLibrary, user: User, limit: HitLimit = 20) -> SearchAnswer:
    """The short form of a search with one sample in `like`. 409 while the model has not heard it yet."""
    return await library.search.like_sample(user, sample_id, limit)


@router.get("/lookup", summary="Which sample is meant", responses=declared())
async def look_up(
    library: TheLibrary,
    user: User,
    text: Annotated[str, Query(min_length=1, max_length=4096, description="An id, a path or a name.")],
    limit: HitLimit = 20,
) -> LookupAnswer:
    """Samples that a person may mean by an id or its first characters, by a path or the end of one, or by a name.

    The closest reading counts: a name as it is, then in any case, then without its extension. A name that a list has
    cut with … is taken too. What changed in the last moment may be missing.
    """
    return await library.lookup.find(user, text, limit)


@router.get("/duplicates", summary="Sounds that are there more than once", responses=declared())
async def list_duplicates(library: TheLibrary, user: User, limit: Limit = 50, cursor: Cursor = None) -> DuplicatePage:
    """Exactly the same sounds first, then those that are nearly the same, each pair with its similarity.

    Nothing is merged or deleted. A page may be short, even empty, while `next` leads on.
    """
    return await library.duplicates.page(user, limit, cursor)


@router.post("/reindex", status_code=202, summary="Write the index anew", responses=declared())
async def reindex(library: TheLibrary, user: User) -> ReindexAnswer:
    """Write the vector index anew from MongoDB, as after the loss of Chroma's folder. Search goes on meanwhile."""
    return await library.index.write_anew(user)
