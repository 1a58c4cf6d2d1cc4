"""Chroma as the gateway reads it: five calls of its HTTP API.

The client library would cost every gateway process half a second of start and tens of megabytes for these.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt

from samplemind_tasks.errors import StoreUnavailable
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.chroma import login_header, without_login

Vector = npt.NDArray[np.float32]

_DATABASE = "/api/v2/tenants/default_tenant/databases/default_database"


def collection_name(model: str, user_id: str) -> str:
    """The collection of a model revision's vectors of one user.

    One for each user, because asking one collection for one user's (`where`) takes ten times as long. A user id that
    Chroma would not take in a name is hashed.
    """
    plain = re.fullmatch(r"[A-Za-z0-9]{1,40}", user_id)
    return f"{model}.{user_id if plain else f'_{hashlib.sha256(user_id.encode()).hexdigest()[:24]}'}"


class VectorSearch:
    """The index of vectors on the gateway's event loop."""

    def __init__(self, settings: Settings) -> None:
        self._http = httpx.AsyncClient(
            base_url=without_login(settings.chroma_url),
            headers=login_header(settings.chroma_url),
            timeout=settings.request_timeout_s,
            trust_env=False,
        )
        self._ids: dict[str, str] = {}

    async def nearest(self, collection: str, vector: Vector, limit: int) -> list[tuple[str, float]]:
        """The samples nearest to a vector [size], as (sample id, cosine similarity), best first."""
        return next(iter(await self.nearest_of_each(collection, vector[None, :], limit)), [])

    async def nearest_of_each(self, collection: str, vectors: Vector, limit: int) -> list[list[tuple[str, float]]]:
        """The same for each of several vectors [n, size]; nothing at all where there is no such collection."""
        query = {"query_embeddings": vectors.tolist(), "n_results": limit, "include": ["distances"]}
        found = await self._of_collection(collection, "query", query)
        if found is None:
            return []
        return [
            [(name, 1.0 - far) for name, far in zip(ids, distances, strict=True)]
            for ids, distances in zip(found["ids"], found["distances"], strict=True)
        ]

    async def delete(self, collection: str, sample_ids: Sequence[str]) -> None:
        """Take samples out; one that is not there is no error."""
        await self._of_collection(collection, "delete", {"ids": list(sample_ids)})

    async def count(self, collection: str) -> int:
        """How many samples are in a collection; 0 where there is none of that name."""
        return int(await self._of_collection(collection, "count") or 0)

    async def beat(self) -> None:
        """Ask whether Chroma answers."""
        await self._ask("GET", "/api/v2/heartbeat")

    async def close(self) -> None:
        await self._http.aclose()

    async def _of_collection(self, collection: str, verb: str, body: dict[str, object] | None = None) -> Any:
        """Call a collection by its name, with GET where there is no body; None where there is no such collection.

        Its id changes when Chroma is wiped.
        """
        for _ in range(2):
            if collection not in self._ids:
                found = await self._ask("GET", f"{_DATABASE}/collections/{collection}")
                if found is None:
                    return None
                self._ids[collection] = found["id"]
            method = "GET" if body is None else "POST"
            answer = await self._ask(method, f"{_DATABASE}/collections/{self._ids[collection]}/{verb}", body)
            if answer is not None:
                return answer
            del self._ids[collection]
        return None

    async def _ask(self, method: str, path: str, body: dict[str, object] | None = None) -> Any:
        """One call; None where Chroma says there is no such thing."""
        try:
            answer = await self._http.request(method, path, json=body)
        except httpx.TransportError as error:
            raise StoreUnavailable("chroma", str(error)[:200] or type(error).__name__) from error
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if not answer.is_success:
            raise StoreUnavailable("chroma", f"{answer.status_code} {answer.text[:200]}")
        return answer.json()
