"""Keys for tests: made as the server's own process makes them."""

import asyncio
from typing import Any

from samplemind_tasks.access import CreatedKey, NewKey, Scope
from samplemind_tasks.library.keys import Keys
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.keys import KeyStore
from samplemind_tasks.store.mongo import connect_async


def make_key(settings: Settings, user: str = "ada", scope: Scope = Scope.WRITE, **more: Any) -> CreatedKey:
    """A key of a user."""

    async def make() -> CreatedKey:
        db = connect_async(settings)
        try:
            return await Keys(KeyStore(db)).create(NewKey(user=user, scope=scope, name="test", **more))
        finally:
            await db.client.close()

    return asyncio.run(make())


def bearing(key: CreatedKey | str) -> dict[str, str]:
    """The header a client sends."""
    return {"Authorization": f"Bearer {key if isinstance(key, str) else key.key}"}
