"""Commands that find sounds: search, similar, duplicates; and reindex, which mends what they look in."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from samplemind_tasks.categories import Category
from samplemind_tasks.cli import found, show
from samplemind_tasks.cli.call import Call, command, one_of
from samplemind_tasks.cli.category_names import category_called
from samplemind_tasks.cli.client import as_shown
from samplemind_tasks.cli.list_filters import KINDS, RANGE, bpm_range, check_modifiers, key_name, span
from samplemind_tasks.cli.meant import NullOption, PathsOption, SampleArgument, find_sample, print_paths
from samplemind_tasks.cli.named import CollectionOption, collection_id
from samplemind_tasks.cli.transport import Json
from samplemind_tasks.errors import NotFound
from samplemind_tasks.features import Kind
from samplemind_tasks.queries import MOST_HITS, DuplicateGroup, ReindexAnswer, SearchAnswer, Weights

app = typer.Typer()

ASPECTS = tuple(Weights.model_fields)


def weight(text: str) -> tuple[str, float]:
    """pitch=0.5."""
    name, _, value = text.partition("=")
    if name not in ASPECTS or not re.fullmatch(r"0|1|0?\.\d+|[01]\.0*", value):
        raise typer.BadParameter(f"{text!r}: write one of {', '.join(ASPECTS)}, then = and 0 to 1, as in pitch=0.5")
    return name, float(value)


@command(app)
def search(
    call: Call,
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help="What it is, how it sounds.", show_default=False)] = "",
    like: Annotated[
        list[str] | None,
        typer.Option("--like", metavar="ID|PATH|NAME", help="Sounds like this. Again for more of them."),
    ] = None,
    unlike: Annotated[
        list[str] | None, typer.Option("--unlike", metavar="ID|PATH|NAME", help="Does not sound like this.")
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option("--weight", metavar="ASPECT=0..1", help=f"How much it counts: {', '.join(ASPECTS)}."),
    ] = None,
    kind: Annotated[list[str] | None, typer.Option("--kind", metavar="KIND", help=KINDS)] = None,
    category: Annotated[
        list[Category] | None,
        typer.Option(
            "--category", parser=category_called, metavar="NAME", help="kick, snare, pad, ... Again for another."
        ),
    ] = None,
    bpm: Annotated[str | None, typer.Option("--bpm", metavar=RANGE, help="120-130, 120-, -130 or 124.")] = None,
    octaves: Annotated[bool, typer.Option("--octaves", help="Half and double that tempo too.")] = False,
    key: Annotated[str | None, typer.Option("--key", help='"A minor", Am or 8A.', parser=key_name)] = None,
    compatible: Annotated[bool, typer.Option("--compatible", help="Keys that mix with it too.")] = False,
    duration: Annotated[str | None, typer.Option("--duration", metavar=RANGE, help="Seconds.")] = None,
    loudness: Annotated[str | None, typer.Option("--loudness", metavar="MIN..MAX", help="LUFS, as in -20..-8.")] = None,
    brightness: Annotated[str | None, typer.Option("--brightness", metavar=RANGE, help="Centroid, Hz.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="Only what has this tag.")] = None,
    word: Annotated[list[str] | None, typer.Option("--word", help="Only what is bright, dark, punchy, ...")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Part of the name.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", "--path", metavar="PATH", help="Only what lives below it.")
    ] = None,
    favourite: Annotated[bool, typer.Option("--favourite", help="Only favourites.")] = False,
    collection: CollectionOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST_HITS, help="How many.")] = 20,
    save: Annotated[str | None, typer.Option("--save", metavar="NAME", help="Keep the search under a name.")] = None,
    paths: PathsOption = False,
    null: NullOption = False,
) -> None:
    """Find sounds by words, by what they sound like, and by what was measured; any mix of these."""
    check_modifiers(bpm=bpm, octaves=octaves, key=key, compatible=compatible)
    filters = _filters(
        kind=[one_of(Kind)(each) for each in kind or []],
        category=category,
        tempo_bpm=_tempo(bpm) if bpm else None,
        tempo_octaves=octaves,
        key=key,
        key_compatible=compatible,
        duration_s=span(duration) if duration else None,
        loudness_lufs=span(loudness) if loudness else None,
        brightness_hz=span(brightness) if brightness else None,
        tags=[as_shown(each) for each in tag or []],
        words=word,
        name=name and as_shown(name),
        folder=as_shown(folder.expanduser().absolute()) if folder else None,
        favourite=favourite or None,
        collection=collection_id(call, collection) if collection else None,
    )
    query: Json = {"text": as_shown(text), "filters": filters, "limit": limit}
    query["weights"] = dict(weight(each) for each in weights or [])
    query["like"] = [_sound(call, each) for each in like or []]
    query["unlike"] = [_sound(call, each) for each in unlike or []]
    show_answer(call, call.gateway.search(query), filters.get("folder"), paths=paths, null=null)
    if save:
        call.gateway.save_search(as_shown(save), query)
        call.tell(Text(f"kept: samplemind searches run {as_shown(save)!r}", style="dim"))


@command(app)
def similar(
    call: Call,
    sample: SampleArgument,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST_HITS, help="How many.")] = 10,
    paths: PathsOption = False,
    null: NullOption = False,
) -> None:
    """Find what sounds like a sample, or like any file: short for search --like."""
    answer = call.gateway.search({"like": [_sound(call, sample)], "limit": limit})
    show_answer(call, answer, paths=paths, null=null)


@command(app)
def duplicates(
    call: Call,
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many groups; 0 means all.")] = 50,
    exact: Annotated[bool, typer.Option("--exact", help="Only exactly the same sound.")] = False,
) -> None:
    """List files that hold the same sound, exactly or nearly. Nothing is merged or deleted."""
    shown: list[DuplicateGroup] = []
    for answer in call.gateway.duplicates():
        group = DuplicateGroup.model_validate(answer, extra="ignore")
        if exact and group.how != "exact":
            break
        call.answer(answer)
        call.show(*([""] if shown else []), *found.duplicate_table(group))
        shown.append(group)
        if len(shown) == limit:
            call.show(Text(f"the first {show.count(limit)}; --limit 0 shows all", style="dim"))
            break
    if not shown:
        call.show("No duplicates.")
    _show_spare(call, shown, is_cut=len(shown) == limit)


def _show_spare(call: Call, shown: list[DuplicateGroup], *, is_cut: bool) -> None:
    """What the copies take: of the whole library where all exact groups were seen, which come before the near ones."""
    files, size_bytes = found.spare(shown)
    if files:
        where = " in the groups shown" if is_cut and shown[-1].how == "exact" else ""
        call.show("", f"{show.count(files)} files more than one of each exact sound{where}, {show.size(size_bytes)}")


@command(app)
def reindex(call: Call) -> None:
    """Write the search index anew from the database, as after the loss of Chroma's folder."""
    answer = call.gateway.reindex()
    call.answer(answer)
    told = ReindexAnswer.model_validate(answer, extra="ignore")
    call.show(f"writing the index of {show.count(told.samples)} samples anew ({told.model}); search goes on meanwhile")


def _tempo(bpm: str) -> dict[str, float | None]:
    least, most = bpm_range(bpm)
    return {"least": least, "most": most}


def _filters(**wanted: Any) -> Json:
    """What was asked for."""
    return {name: value for name, value in wanted.items() if value not in (None, [], False)}


def _sound(call: Call, id_or_path: str) -> str:
    """The id of a sample; of a file that is not in the library, the id it has once it was sent."""
    if id_or_path.startswith("sound-"):
        return id_or_path
    try:
        return str(call.gateway.sample(find_sample(call, id_or_path))["sample"]["id"])
    except NotFound:
        path = Path(id_or_path).expanduser()
        if not path.is_file():
            raise
        call.tell(Text(f"{as_shown(path)} is not in the library: listening to the file", style="dim"))
        return call.gateway.send_sound(path)


def show_answer(
    call: Call, answer: Json, folder: str | None = None, *, paths: bool = False, null: bool = False
) -> None:
    """What a search found, or that it found nothing and why."""
    call.answer(answer)
    told = SearchAnswer.model_validate(answer, extra="ignore")
    if paths or null:
        print_paths(call, (found.place(hit.sample, folder, hit.matched) for hit in told.hits), null=null)
        return
    understood = Text(", ".join(f"{each.what}: {each.value}" for each in told.understood), style="dim")
    if told.understood:
        call.show(Text("understood ", style="dim") + understood)
    if told.rest:
        call.show(Text(f"not understood: {told.rest} (looked for in names, tags and notes)", style="dim"))
    if not told.hits:
        if folder and not told.searched:
            call.show(f"No sample below {folder} passes the filters.")
        elif told.nothing_matches:
            call.show("Nothing matches.")
        elif told.searched:
            call.show("Nothing else is there to compare with.")
        else:
            call.show("Nothing passes the filters, or the library is empty: samplemind add FOLDER")
        return
    call.show(*found.hit_table(told.hits, call.out.width, folder), *show.footnote(hit.sample for hit in told.hits))
