"""Which failures were taken up again: one document for each job that did, with the ids of its places as bytes.

Apart from the failures, because a mark in each of five thousand is five thousand writes; and in one, so that whoever
asks for the same meanwhile sees all of it or nothing.
"""

from collections.abc import Sequence

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from samplemind_tasks.store.mongo import Document, translating

PLACE_BYTES = 12
EVERY = "*"


class Retried:
    """Marks as the gateway writes and reads them."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db = db

    async def mark(self, job_id: str, places: Sequence[str], retry_id: str, whole: str | None) -> None:
        """Note which job took up the failures of some places; noted already, it stays so.

        Parameters
        ----------
        whole : the code of which none is left up to the last of them, `EVERY` for all codes; None where that is not so
        """
        packed = b"".join(map(bytes.fromhex, places))
        document = {"_id": f"{job_id}:{retry_id}", "job": job_id, "by": retry_id, "places": packed, "whole": whole}
        with translating():
            try:
                await self._db.retried.insert_one({**document, "first": min(places), "last": max(places)})
            except DuplicateKeyError:
                return

    async def none_left_to(self, job_id: str, code: str | None) -> str:
        """The last place up to which all failures of a code, or of all, were taken up; "" for none."""
        codes = [EVERY] if code is None else [EVERY, code]
        with translating():
            rows = await self._db.retried.find({"job": job_id}, {"whole": 1, "last": 1}).to_list()
        return max((str(row["last"]) for row in rows if row["whole"] in codes), default="")

    async def between(self, job_id: str, first: str, last: str) -> dict[str, str]:
        """The job that took up each place of a stretch, both ends included; those that none did are left out."""
        overlapping = {"job": job_id, "first": {"$lte": last}, "last": {"$gte": first}}
        with translating():
            rows = await self._db.retried.find(overlapping).to_list()
        return {place: row["by"] for row in rows for place in _unpacked(row["places"]) if first <= place <= last}


def _unpacked(packed: bytes) -> list[str]:
    text = packed.hex()
    return [text[start : start + 2 * PLACE_BYTES] for start in range(0, len(text), 2 * PLACE_BYTES)]
