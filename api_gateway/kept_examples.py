"""Answers about what a person says and keeps, as the OpenAPI document shows them."""

from datetime import UTC, datetime

from pydantic import BaseModel

from samplemind_tasks.curation import (
    Collection,
    CollectionList,
    EditAnswer,
    MemberAnswer,
    SavedSearch,
    SearchList,
)
from samplemind_tasks.queries import SearchQuery

_MOMENT = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
_COLLECTION = Collection(
    id="b5bb9d8014a0f9b1d61e21e7", name="Dusty drums", samples=12, created_at=_MOMENT, changed_at=_MOMENT
)
_SEARCH = SavedSearch(
    id="7d865e959b2466918c9863af", name="Dark pads", created_at=_MOMENT, query=SearchQuery(text="dark pad")
)

KEPT_EXAMPLES: dict[str, BaseModel] = {
    "edit_samples": EditAnswer(changed=214, unknown=[], full=[], next=None),
    "list_collections": CollectionList(collections=[_COLLECTION]),
    "create_collection": _COLLECTION,
    "get_collection": _COLLECTION,
    "rename_collection": _COLLECTION,
    "change_members": MemberAnswer(collection=_COLLECTION, added=3, removed=0, unknown=[]),
    "list_searches": SearchList(searches=[_SEARCH]),
    "save_search": _SEARCH,
    "get_search": _SEARCH,
    "change_search": _SEARCH,
}
