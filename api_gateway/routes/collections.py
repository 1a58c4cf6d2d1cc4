"""Collections: samples that a person keeps together, in an order."""

from typing import Annotated

from fastapi import APIRouter, Path

from api_gateway.dependencies import Cursor, Limit, TheLibrary, User
from api_gateway.problems import declared
from samplemind_tasks.curation import (
    Collection,
    CollectionChange,
    CollectionList,
    MemberAnswer,
    MemberChange,
    NewCollection,
)
from samplemind_tasks.schemas import SamplePage
from samplemind_tasks.store.pages import SampleFilter

router = APIRouter(tags=["collections"])

CollectionId = Annotated[
    str, Path(pattern=r"^[0-9a-f]{24}$", description="The collection's id.", examples=["b5bb9d8014a0f9b1d61e21e7"])
]


@router.get("/collections", summary="List collections", responses=declared())
async def list_collections(library: TheLibrary, user: User) -> CollectionList:
    """Every collection by name, with how many samples it holds."""
    return await library.collections.all(user)


@router.post("/collections", status_code=201, summary="Make a collection", responses=declared(409))
async def create_collection(new: NewCollection, library: TheLibrary, user: User) -> Collection:
    """Make a collection, empty or with samples. 409 where one has that name, in any case."""
    return await library.collections.create(user, new)


@router.get("/collections/{collection_id}", summary="One collection", responses=declared(404))
async def get_collection(collection_id: CollectionId, library: TheLibrary, user: User) -> Collection:
    """Its name, and how many samples it holds."""
    return await library.collections.one(user, collection_id)


@router.patch("/collections/{collection_id}", summary="Rename a collection", responses=declared(404, 409))
async def rename_collection(
    collection_id: CollectionId, change: CollectionChange, library: TheLibrary, user: User
) -> Collection:
    """Give it another name. 409 where another one has it."""
    return await library.collections.rename(user, collection_id, change.name)


@router.delete("/collections/{collection_id}", status_code=204, summary="Delete a collection", responses=declared(404))
async def delete_collection(collection_id: CollectionId, library: TheLibrary, user: User) -> None:
    """Delete a collection. Its samples stay in the library."""
    await library.collections.delete(user, collection_id)


@router.get("/collections/{collection_id}/samples", summary="The samples of a collection", responses=declared(404))
async def list_members(
    collection_id: CollectionId, library: TheLibrary, user: User, limit: Limit = 50, cursor: Cursor = None
) -> SamplePage:
    """In the collection's order. `GET /v1/samples?collection=...` is the same, with filters."""
    return await library.samples.page(user, SampleFilter(), None, limit, cursor, collection_id)


@router.post("/collections/{collection_id}/samples", summary="Take samples in and out", responses=declared(404, 409))
async def change_members(
    collection_id: CollectionId, change: MemberChange, library: TheLibrary, user: User
) -> MemberAnswer:
    """Add, move and remove up to 1,000 samples each; repeating it changes nothing more."""
    return await library.collections.change_members(user, collection_id, change)
