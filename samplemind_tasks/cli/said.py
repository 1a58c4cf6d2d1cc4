"""Saying what sounds are: set. What a person says goes before what was measured and heard."""

import inspect
import math
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from samplemind_tasks.categories import Category
from samplemind_tasks.cli import show
from samplemind_tasks.cli.call import Call, command, one_of
from samplemind_tasks.cli.category_names import category_called
from samplemind_tasks.cli.client import as_shown
from samplemind_tasks.cli.list_filters import filter_query, key_name
from samplemind_tasks.cli.meant import find_sample
from samplemind_tasks.cli.named import collection_id
from samplemind_tasks.cli.transport import Json
from samplemind_tasks.curation import MOST_AT_ONCE, EditAnswer
from samplemind_tasks.errors import NotFound, SampleMindError
from samplemind_tasks.features import Kind
from samplemind_tasks.said import SAID_FIELDS

app = typer.Typer()


def _field(text: str) -> str:
    if text not in SAID_FIELDS:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(SAID_FIELDS)}")
    return text


def _tempo(text: str) -> float:
    """A tempo; "nan" is a number to Python, and none to anybody else."""
    try:
        bpm = float(text)
    except ValueError:
        bpm = math.nan
    if not math.isfinite(bpm):
        raise typer.BadParameter(f"{text!r} is no tempo: write 124 or 87.5")
    return bpm


@command(app, "set")
def set_fields(
    call: Call,
    samples: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID|PATH|NAME...]", help="Samples; a folder means all that lives in it.", show_default=False
        ),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Shown in place of the file's name.")] = None,
    kind: Annotated[
        Kind | None, typer.Option("--kind", parser=one_of(Kind), metavar="KIND", help=f"{', '.join(Kind)}.")
    ] = None,
    category: Annotated[
        Category | None,
        typer.Option("--category", parser=category_called, metavar="NAME", help="kick, snare, pad, ..."),
    ] = None,
    bpm: Annotated[float | None, typer.Option("--bpm", parser=_tempo, metavar="BPM", help="The right tempo.")] = None,
    key: Annotated[str | None, typer.Option("--key", help='"A minor", Am or 8A.', parser=key_name)] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="A tag of your own. Again for more.")] = None,
    untag: Annotated[
        list[str] | None, typer.Option("--untag", help="Take a tag of yours away, or hide one that was heard.")
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="Words about it.")] = None,
    favourite: Annotated[bool | None, typer.Option("--favourite/--no-favourite", help="One of the best.")] = None,
    clear: Annotated[
        list[str] | None,
        typer.Option(
            "--clear", parser=_field, metavar="FIELD", help=f"Take back what you said: {', '.join(SAID_FIELDS)}."
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="FILTER=VALUE",
            help="What a filter of `list` meets: bpm=120-130, tag=vinyl. All must hold.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether all of these are meant.")] = False,
) -> None:
    """Say what samples are. Nothing that is measured or heard later goes over it.

    samplemind set loop.wav --bpm 87 --key Am; samplemind set ~/Samples/Vinyl --where kind=loop --tag dusty
    """
    said = {
        "name": name and as_shown(name), "kind": kind, "category": category, "tempo_bpm": bpm, "key": key,
        "note": note and as_shown(note), "favourite": favourite,
    }  # fmt: skip
    change: Json = {field: value for field, value in said.items() if value is not None} | dict.fromkeys(clear or [])
    edit: Json = {
        "change": change,
        "add_tags": list(map(as_shown, tag or [])),
        "remove_tags": list(map(as_shown, untag or [])),
    }
    if not (change or tag or untag):
        raise SampleMindError("nothing to say: give a field, as in --bpm 124", code="invalid")
    _tell(call, _edit(call, samples or [], _where(call, where or []), edit, yes=yes))


def _edit(call: Call, named: list[str], where: Json, edit: Json, *, yes: bool) -> list[Json]:
    """Samples by name, folders, and what filters meet in them; who is not there is known before anything is changed."""
    folders = [path for text in named if (path := Path(text).expanduser()).is_dir()]
    single = [text for text in named if not Path(text).expanduser().is_dir()]
    if not (named or where):
        raise SampleMindError("say which samples are meant: by name, a folder, or --where kind=loop", code="invalid")
    if where and (single or (folders and "path" in where)):
        raise SampleMindError("--where narrows folders: name samples without it, and a folder once", code="invalid")
    ids = [find_sample(call, text) for text in single]
    places: list[Json] = [{"path": as_shown(folder.absolute())} for folder in folders] or ([{}] if where else [])
    answers = [_edit_met(call, {**where, **place}, edit, yes=yes) for place in places]
    parts = [ids[start : start + MOST_AT_ONCE] for start in range(0, len(ids), MOST_AT_ONCE)]
    return answers + [call.gateway.edit({"ids": part, **edit}) for part in parts]


def _where(call: Call, texts: list[str]) -> Json:
    """The filters of `list`, written as bpm=120-130."""
    given: dict[str, Any] = {}
    collection: Json = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name == "collection":
            collection = {"collection": collection_id(call, value)}
            continue
        if name in given and name not in ("tag", "word"):
            raise typer.BadParameter(f"--where {name} is given twice; all must hold, so give one")
        option = inspect.signature(filter_query, eval_str=True).parameters.get(name)
        if option is None or not value:
            raise typer.BadParameter(f"--where {text!r}: write FILTER=VALUE, with a filter of `list` and a value")
        if option.default is False:
            if value != "yes":
                raise typer.BadParameter(f"--where {text!r}: write {name}=yes, or leave it out")
            given[name] = True
        elif name in ("tag", "word"):
            given.setdefault(name, []).append(value)
        else:
            given[name] = (option.annotation.__metadata__[0].parser or str)(value)
    return dict(filter_query(**given)) | collection


def _edit_met(call: Call, condition: Json, edit: Json, *, yes: bool) -> Json:
    """All that a filter meets, once a person has seen how many that are."""
    where = {"where": condition, **edit}
    if not yes:
        met = _all_pages(call, {**where, "preview": True})["changed"]
        told = f"This changes {_samples(met)}{' in ' + condition['path'] if 'path' in condition else ''}."
        if call.as_json or not sys.stdin.isatty():
            raise SampleMindError(f"{told} Say --yes if that is meant.", code="unconfirmed")
        if not typer.confirm(f"{told} Go on?", err=True):
            raise typer.Exit(1)
    return _all_pages(call, where)


def _all_pages(call: Call, edit: Json) -> Json:
    """An edit by a filter, to its end."""
    whole: Json = {"changed": 0, "unknown": [], "full": [], "next": None}
    while True:
        answer = call.gateway.edit(edit)
        whole["changed"] += answer["changed"]
        whole["full"] += answer["full"]
        if answer["next"] is None:
            return whole
        edit = {**edit, "cursor": answer["next"]}


def _tell(call: Call, answers: list[Json]) -> None:
    for answer in answers:
        call.answer(answer)
    told = [EditAnswer.model_validate(answer, extra="ignore") for answer in answers]
    changed = sum(answer.changed for answer in told)
    call.show(f"{_samples(changed)} changed")
    if full := sum(len(answer.full) for answer in told):
        call.show(Text(f"{show.count(full)} have no room for more tags", style="yellow"))
    if unknown := [name for answer in told for name in answer.unknown]:
        raise NotFound(f"there is no sample {', '.join(unknown)}", code="no_such_sample")


def _samples(count: int) -> str:
    return f"{show.count(count)} sample{'' if count == 1 else 's'}"
