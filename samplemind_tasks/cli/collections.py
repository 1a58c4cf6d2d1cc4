"""`samplemind collections` and `samplemind searches`: what a person keeps."""

from collections.abc import Sequence
from typing import Annotated

import typer

from samplemind_tasks.cli import show
from samplemind_tasks.cli.call import Call, command
from samplemind_tasks.cli.client import as_shown
from samplemind_tasks.cli.meant import NullOption, PathsOption, find_sample
from samplemind_tasks.cli.named import collection_named, search_named
from samplemind_tasks.cli.search import show_answer
from samplemind_tasks.cli.transport import Json
from samplemind_tasks.curation import MOST_AT_ONCE, Collection, SavedSearch

app = typer.Typer(
    no_args_is_help=True,
    help="Sets of samples under a name, in an order.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
searches_app = typer.Typer(
    no_args_is_help=True,
    help="Searches under a name; `samplemind search --save NAME` keeps one.",
    context_settings={"help_option_names": ["-h", "--help"]},
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Its name, or its id.", show_default=False)]
SamplesArgument = Annotated[list[str], typer.Argument(metavar="ID|PATH|NAME...", help="Samples.", show_default=False)]


@command(app, "list")
def list_collections(call: Call) -> None:
    """List collections."""
    rows = _listed(call, call.gateway.collections(), "No collections: samplemind collections create NAME ID...")
    if not rows:
        return
    table = show.grid("collection", ">samples", "changed", "id")
    for each in (Collection.model_validate(row, extra="ignore") for row in rows):
        table.add_row(
            each.name, show.count(each.samples), show.ago(each.changed_at), show.short(each.id, show.SHORT_ID)
        )
    call.show(table)


@command(app, "create")
def create_collection(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.", show_default=False)],
    samples: Annotated[
        list[str] | None, typer.Argument(metavar="[ID|PATH|NAME...]", help="What it begins with.", show_default=False)
    ] = None,
) -> None:
    """Make a collection, empty or with samples."""
    ids = _ids(call, samples or [])
    made = call.gateway.create_collection({"name": as_shown(name), "samples": ids[:MOST_AT_ONCE]})
    _tell(call, _change(call, made, add=ids[MOST_AT_ONCE:]) if ids[MOST_AT_ONCE:] else made)


@command(app, "add")
def add_to_collection(call: Call, name: NameArgument, samples: SamplesArgument) -> None:
    """Take samples in, at the end."""
    _tell(call, _change(call, collection_named(call, name), add=_ids(call, samples)))


@command(app, "remove")
def remove_from_collection(call: Call, name: NameArgument, samples: SamplesArgument) -> None:
    """Take samples out. They stay in the library."""
    _tell(call, _change(call, collection_named(call, name), remove=_ids(call, samples)))


@command(app, "rename")
def rename_collection(
    call: Call,
    name: NameArgument,
    new_name: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.", show_default=False)],
) -> None:
    """Give a collection another name."""
    _tell(call, call.gateway.rename_collection(collection_named(call, name)["id"], as_shown(new_name)))


@command(app, "delete")
def delete_collection(call: Call, name: NameArgument) -> None:
    """Delete a collection. Its samples stay in the library."""
    row = collection_named(call, name)
    call.gateway.delete_collection(row["id"])
    call.answer({"deleted": row["id"]})
    call.show(f"deleted the collection {row['name']}; its samples stay")


@command(searches_app, "list")
def list_searches(call: Call) -> None:
    """List saved searches."""
    rows = _listed(call, call.gateway.searches(), 'No saved searches: samplemind search "dark pad" --save NAME')
    if not rows:
        return
    table = show.grid("search", "asks for", "id")
    for each in (SavedSearch.model_validate(row, extra="ignore") for row in rows):
        asks = each.problem or (each.query.text if each.query and each.query.text else "filters and sounds")
        table.add_row(each.name, asks, show.short(each.id, show.SHORT_ID))
    call.show(table)


@command(searches_app, "run")
def run_search(call: Call, name: NameArgument, paths: PathsOption = False, null: NullOption = False) -> None:
    """Ask a saved search again."""
    show_answer(call, call.gateway.run_search(search_named(call, name)["id"]), paths=paths, null=null)


@command(searches_app, "delete")
def delete_search(call: Call, name: NameArgument) -> None:
    """Delete a saved search."""
    row = search_named(call, name)
    call.gateway.delete_search(row["id"])
    call.answer({"deleted": row["id"]})
    call.show(f"deleted the search {row['name']}")


def _listed(call: Call, rows: list[Json], when_empty: str) -> list[Json]:
    """The rows, told to programs; a person is told when there are none, and how to make one."""
    for row in rows:
        call.answer(row)
    if not rows:
        call.show(when_empty)
    return rows


def _ids(call: Call, samples: Sequence[str]) -> list[str]:
    return [find_sample(call, text) for text in samples]


def _change(call: Call, row: Json, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Json:
    """A collection after samples came or went, as many as there are."""
    for start in range(0, max(len(add), len(remove)), MOST_AT_ONCE):
        part = slice(start, start + MOST_AT_ONCE)
        change = {"add": list(add[part]), "remove": list(remove[part])}
        row = call.gateway.change_members(row["id"], change)["collection"]
    return row


def _tell(call: Call, row: Json) -> None:
    call.answer(row)
    told = Collection.model_validate(row, extra="ignore")
    call.show(f"{told.name}: {show.count(told.samples)} samples")
