"""Failures as they are listed: one document a place, written when its chunk or slice is finished."""

from collections.abc import Sequence

from pymongo.database import Database

from samplemind_tasks.schemas import Failure
from samplemind_tasks.store.mongo import Document, insert_new, translating


class Failures:
    """Failure documents in MongoDB."""

    def __init__(self, db: Database[Document]) -> None:
        self._failures = db.failures

    def record(self, job_id: str, user_id: str, chunk_id: str, failures: Sequence[Failure]) -> None:
        """List exactly these failures for a chunk (or slice), whatever an earlier try listed."""
        of_all: Document = {"job": job_id, "user_id": user_id, "chunk": chunk_id}
        documents = [
            {"_id": f"{job_id}:{row.place}", "place": row.place, "path": row.path, "message": row.message}
            | {"code": row.code.value}
            | of_all
            for row in failures
        ]
        with translating():
            self._failures.delete_many({"chunk": chunk_id})
            listed_elsewhere = insert_new(self._failures, documents)
            for row in documents:
                if row["_id"] in listed_elsewhere:
                    self._failures.replace_one({"_id": row["_id"]}, row, upsert=True)
