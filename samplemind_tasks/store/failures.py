"""Failures as they are listed: one document a place, written when its chunk or slice is finished."""

from collections.abc import Sequence

from pymongo.database import Database

from samplemind_tasks.schemas import Failure
from samplemind_tasks.store.mongo import Document, translating


class Failures:
    """Failure documents in MongoDB."""

    def __init__(self, db: Database[Document]) -> None:
        self._failures = db.failures

    def record(self, job_id: str, user_id: str, chunk_id: str, failures: Sequence[Failure]) -> None:
        """List exactly these failures for a chunk (or slice), whatever an earlier try listed."""
        with translating():
            self._failures.delete_many({"chunk": chunk_id})
            for row in failures:
                self._failures.replace_one(
                    {"_id": f"{job_id}:{row.place}"},
                    {
                        "job": job_id,
                        "user_id": user_id,
                        "chunk": chunk_id,
                        "place": row.place,
                        "path": row.path,
                        "code": row.code.value,
                        "message": row.message,
                        "retried_by": None,
                    },
                    upsert=True,
                )
