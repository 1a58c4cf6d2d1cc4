"""Commands about the library: list, show, delete, stats."""

from itertools import islice
from typing import Annotated

import typer
from rich.text import Text

from samplemind_tasks.cli import found, show
from samplemind_tasks.cli.call import Call, command
from samplemind_tasks.cli.list_filters import with_filters
from samplemind_tasks.cli.meant import NullOption, PathsOption, SampleArgument, find_sample, print_paths
from samplemind_tasks.cli.named import CollectionOption, collection_id
from samplemind_tasks.cli.sheet import sample_sheet
from samplemind_tasks.cli.transport import PAGE, Json, Query
from samplemind_tasks.schemas import Sample, SampleDetail, Stats

app = typer.Typer()


@command(app, "list")
@with_filters
def list_samples(
    call: Call,
    wanted: Query,
    collection: CollectionOption = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many; 0 means all.")] = 50,
    paths: PathsOption = False,
    null: NullOption = False,
) -> None:
    """List samples, narrowed by what was measured, heard and said."""
    query, folder = dict(wanted), wanted.get("path")
    if collection:
        query["collection"] = collection_id(call, collection)
    answers = call.gateway.samples({**query, "limit": min(limit + 1, PAGE) if limit else PAGE})
    if call.as_json:
        for answer in islice(answers, limit or None):
            call.answer(answer)
        return
    if paths or null:
        samples = map(_sample, islice(answers, limit or None))
        print_paths(call, (found.place(each, str(folder) if folder else None) for each in samples), null=null)
        return
    shown = [_sample(answer) for answer in islice(answers, limit or None)]
    if not shown:
        call.show("Nothing like that." if query else "The library is empty: samplemind add FOLDER")
        return
    call.show(show.sample_table(shown, width=call.out.width), *show.footnote(shown))
    if next(answers, None) is not None:
        call.show(Text(f"the first {show.count(len(shown))}; --limit 0 shows all", style="dim"))


@command(app, "show")
def show_sample(call: Call, sample: SampleArgument) -> None:
    """Show everything known about a sample."""
    answer = call.gateway.sample(find_sample(call, sample))
    call.answer(answer)
    call.show(sample_sheet(SampleDetail.model_validate(answer, extra="ignore")))


@command(app)
def delete(call: Call, sample: SampleArgument) -> None:
    """Take a sample out of the library, not its file."""
    sample_id = call.gateway.sample(find_sample(call, sample))["sample"]["id"]
    call.gateway.delete(sample_id)
    call.answer({"deleted": sample_id})
    call.show(f"deleted {sample_id}", Text("back again: samplemind add PATH --restore", style="dim"))


@command(app)
def stats(call: Call) -> None:
    """Count the library: samples, kinds, hours, bytes."""
    answer = call.gateway.stats()
    call.answer(answer)
    told = Stats.model_validate(answer, extra="ignore")
    call.show(
        show.facts(
            [
                ("samples", show.count(told.samples)),
                ("kinds", _counts(told.by_kind)),
                ("states", _counts(told.by_state)),
                ("length", show.length(told.duration_s)),
                ("size", show.size(told.size_bytes)),
                ("open jobs", show.count(told.jobs_open)),
                ("model", told.model),
            ]
        )
    )


def _counts(by_name: dict[str, int]) -> str:
    return " · ".join(f"{show.count(value)} {name}" for name, value in by_name.items()) or show.NONE


def _sample(answer: Json) -> Sample:
    return Sample.model_validate(answer, extra="ignore")
