"""Documents that a user names: collections and saved searches. A name is one user's once, in any case."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from samplemind_tasks.errors import Conflict, NotFound
from samplemind_tasks.store.mongo import Document, translating


class Named:
    """The named documents of one kind."""

    def __init__(self, documents: AsyncCollection[Document], kind: str, most: int) -> None:
        self._documents = documents
        self._kind = kind
        self._most = most

    async def add(self, user_id: str, name: str, fields: Document) -> Document:
        """Keep a new one.

        Raises
        ------
        Conflict : the user has one of that name, or as many as one may have.
        """
        now = datetime.now(UTC)
        named = {"user_id": user_id, "name": name, "folded": name.casefold(), "created_at": now, "changed_at": now}
        document = {"_id": secrets.token_hex(12)} | named | fields
        async with self._one_name(name):
            if await self._documents.count_documents({"user_id": user_id}) >= self._most:
                raise Conflict(
                    f"every {self._kind} needs a place, and all {self._most} are taken: delete one", code="too_many"
                )
            await self._documents.insert_one(document)
        return document

    async def all(self, user_id: str, without: str | None = None) -> list[Document]:
        """A user's, by name; `without` a field that is large."""
        with translating():
            rows = await self._documents.find({"user_id": user_id}, {without: 0} if without else None).to_list()
        return sorted(rows, key=lambda row: (row["folded"], row["_id"]))

    async def one(self, user_id: str, name_id: str, without: str | None = None) -> Document:
        """One of a user's.

        Raises
        ------
        NotFound : there is none, or it is another user's.
        """
        with translating():
            row = await self._documents.find_one({"_id": name_id}, {without: 0} if without else None)
        if row is None or row["user_id"] != user_id:
            raise NotFound(f"there is no {self._kind} {name_id}")
        return row

    async def change(self, user_id: str, name_id: str, fields: Document) -> None:
        """Change some fields; a new name keeps its own case.

        Raises
        ------
        NotFound, Conflict
        """
        name = fields.get("name")
        changed = fields | {"changed_at": datetime.now(UTC)} | ({"folded": name.casefold()} if name else {})
        async with self._one_name(str(name)):
            done = await self._documents.update_one({"_id": name_id, "user_id": user_id}, {"$set": changed})
        if not done.matched_count:
            raise NotFound(f"there is no {self._kind} {name_id}")

    async def delete(self, user_id: str, name_id: str) -> None:
        """Let go of one.

        Raises
        ------
        NotFound
        """
        with translating():
            done = await self._documents.delete_one({"_id": name_id, "user_id": user_id})
        if not done.deleted_count:
            raise NotFound(f"there is no {self._kind} {name_id}")

    @asynccontextmanager
    async def _one_name(self, name: str) -> AsyncIterator[None]:
        try:
            with translating():
                yield
        except DuplicateKeyError as error:
            raise Conflict(f"there is a {self._kind} named {name!r} already", code="name_taken") from error
