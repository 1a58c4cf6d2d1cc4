"""Keys in MongoDB, on the gateway's event loop: {_id, user, scope, name, hash, created_at, last_used_at, expires_at,
revoked_at}. A key itself is nowhere; only a hash of it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from samplemind_tasks.access import KeyView
from samplemind_tasks.store.mongo import Document, translating


@dataclass(frozen=True)
class StoredKey:
    """A key as it is kept. What it says is read when its secret was right: that takes time, and time can be told."""

    row: Document
    hash: bytes

    @property
    def view(self) -> KeyView:
        """What may be shown of it."""
        return _view(self.row)


class KeyStore:
    """The keys of all users: a few, read by their ids."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._keys = db.keys

    async def insert(self, view: KeyView, secret_hash: bytes) -> bool:
        """Keep a new key; False when its id is taken."""
        document = {"_id": view.id, "hash": secret_hash, **view.model_dump(mode="python", exclude={"id"})}
        with translating():
            try:
                await self._keys.insert_one({**document, "scope": view.scope.value})
            except DuplicateKeyError:
                return False
        return True

    async def get(self, key_id: str) -> StoredKey | None:
        """A key by its id."""
        with translating():
            row = await self._keys.find_one({"_id": key_id})
        return StoredKey(row, bytes(row["hash"])) if row else None

    async def all(self) -> list[KeyView]:
        """Every key, the newest first."""
        with translating():
            rows = await self._keys.find({}).to_list()
        return sorted((_view(row) for row in rows), key=lambda key: (key.created_at, key.id), reverse=True)

    async def revoke(self, key_id: str, moment: datetime) -> None:
        """Note when it was revoked, unless it was before."""
        with translating():
            await self._keys.update_one({"_id": key_id, "revoked_at": None}, {"$set": {"revoked_at": moment}})

    async def used(self, key_id: str, moment: datetime) -> None:
        """Note when it was used."""
        with translating():
            await self._keys.update_one({"_id": key_id}, {"$set": {"last_used_at": moment}})

    async def forget(self, key_ids: list[str]) -> None:
        """Delete keys for good."""
        for key_id in key_ids:
            with translating():
                await self._keys.delete_one({"_id": key_id})


def has_usable_key(db: Database[Document]) -> bool:
    """Whether there is a key that would open the gateway now."""
    with translating():
        rows = list(db.keys.find({}))
    now = datetime.now(UTC)
    return any(not _view(row).ended_before(now) for row in rows)


def _view(row: Document) -> KeyView:
    return KeyView(id=row["_id"], **{name: row.get(name) for name in KeyView.model_fields if name != "id"})
