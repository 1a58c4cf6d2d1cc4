"""Which collection or saved search a person means on the command line."""

from collections.abc import Sequence
from typing import Annotated

import typer

from samplemind_tasks.cli.call import Call
from samplemind_tasks.cli.client import as_shown
from samplemind_tasks.cli.transport import Json
from samplemind_tasks.errors import NotFound

CollectionOption = Annotated[
    str | None, typer.Option("--collection", metavar="NAME", help="Only what is in this collection.")
]


def collection_id(call: Call, text: str) -> str:
    """The id of the collection that is meant."""
    return str(collection_named(call, text)["id"])


def collection_named(call: Call, text: str) -> Json:
    """The collection that is meant."""
    return _named(call.gateway.collections(), text, "collection")


def search_named(call: Call, text: str) -> Json:
    """The saved search that is meant."""
    return _named(call.gateway.searches(), text, "search")


def _named(rows: Sequence[Json], text: str, thing: str) -> Json:
    """The one of that name in any case, or of that id. Names are unique."""
    for row in rows:
        if row["id"] == text or row["name"].casefold() == text.casefold():
            return row
    raise NotFound(f"there is no {thing} {as_shown(text)!r}", code=f"no_such_{thing}")
