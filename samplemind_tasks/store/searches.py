"""Saved searches, as MongoDB keeps them."""

from pydantic import ValidationError
from pymongo.asynchronous.database import AsyncDatabase

from samplemind_tasks.curation import MOST_SEARCHES, SavedSearch
from samplemind_tasks.queries import SearchQuery
from samplemind_tasks.store.mongo import Document
from samplemind_tasks.store.named import Named


class SavedSearches(Named):
    """Every user's saved searches."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        super().__init__(db.searches, "saved search", MOST_SEARCHES)


def search_view(row: Document) -> SavedSearch:
    """A saved search as people see it. A query of an older version may not be understood any more."""
    query, problem = None, None
    try:
        query = SearchQuery.model_validate(row["query"])
    except ValidationError as error:
        rows = error.errors()[:3]
        problem = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'query'}: {each['msg']}" for each in rows)
    return SavedSearch(id=row["_id"], name=row["name"], created_at=row["created_at"], query=query, problem=problem)
