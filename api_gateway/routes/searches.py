"""Saved searches: a query under a name."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api_gateway.dependencies import TheLibrary, User
from api_gateway.problems import declared
from samplemind_tasks.curation import NewSearch, SavedSearch, SearchChange, SearchList
from samplemind_tasks.queries import MOST_HITS, SearchAnswer

router = APIRouter(tags=["search"])

SearchId = Annotated[
    str, Path(pattern=r"^[0-9a-f]{24}$", description="The saved search's id.", examples=["7d865e959b2466918c9863af"])
]
OtherLimit = Annotated[
    int | None, Query(ge=1, le=MOST_HITS, description="How many at most; nothing for the query's own limit.")
]


@router.get("/searches", summary="List saved searches", responses=declared())
async def list_searches(library: TheLibrary, user: User) -> SearchList:
    """Every saved search by name. One that is not understood any more has no query, and says why."""
    return await library.searches.all(user)


@router.post("/searches", status_code=201, summary="Save a search", responses=declared(409))
async def save_search(new: NewSearch, library: TheLibrary, user: User) -> SavedSearch:
    """Keep a query of `POST /v1/search` under a name. 409 where one has that name, in any case."""
    return await library.searches.save(user, new)


@router.get("/searches/{search_id}", summary="One saved search", responses=declared(404))
async def get_search(search_id: SearchId, library: TheLibrary, user: User) -> SavedSearch:
    """Its name and its query."""
    return await library.searches.one(user, search_id)


@router.patch("/searches/{search_id}", summary="Change a saved search", responses=declared(404, 409))
async def change_search(search_id: SearchId, change: SearchChange, library: TheLibrary, user: User) -> SavedSearch:
    """Give it another name, another query, or both."""
    return await library.searches.change(user, search_id, change)


@router.delete("/searches/{search_id}", status_code=204, summary="Delete a saved search", responses=declared(404))
async def delete_search(search_id: SearchId, library: TheLibrary, user: User) -> None:
    """Delete a saved search."""
    await library.searches.delete(user, search_id)


@router.get("/searches/{search_id}/results", summary="Run a saved search", responses=declared(404, 409))
async def run_search(search_id: SearchId, library: TheLibrary, user: User, limit: OtherLimit = None) -> SearchAnswer:
    """What the query finds now. 409 where this version does not understand it any more."""
    return await library.searches.run(user, search_id, limit)
