"""Keys: who may ask this gateway, and for how much."""

from typing import Annotated

from fastapi import APIRouter, Path

from api_gateway.dependencies import TheLibrary
from api_gateway.problems import declared
from api_gateway.scopes import needs
from samplemind_tasks.access import KEY_ID, CreatedKey, KeyList, NewKey, Scope

router = APIRouter(tags=["keys"])

KeyId = Annotated[str, Path(pattern=KEY_ID, description="The middle part of the key.", examples=["3f9a0c51be72"])]


@router.post(
    "/keys",
    status_code=201,
    summary="Make a key",
    response_description="The key, which is shown this once.",
    responses=declared(409),
)
@needs(Scope.ADMIN)
async def create_key(wanted: NewKey, library: TheLibrary) -> CreatedKey:
    """Make a key for a user. Its text is in this answer and nowhere else: a hash of it is kept."""
    return await library.keys.create(wanted)


@router.get("/keys", summary="List keys", responses=declared())
@needs(Scope.ADMIN)
async def list_keys(library: TheLibrary) -> KeyList:
    """Every key of every user, the newest first, without their secrets."""
    return await library.keys.all()


@router.delete("/keys/{key_id}", status_code=204, summary="Revoke a key", responses=declared(404))
@needs(Scope.ADMIN)
async def revoke_key(key_id: KeyId, library: TheLibrary) -> None:
    """Let a key open nothing more, within five seconds also at other gateways. It stays listed for 90 days."""
    await library.keys.revoke(key_id)
