"""Saying what sounds are: set. What a person says goes before what was measured and heard."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from samplemind_tasks.categories import Category
from samplemind_tasks.cli import show
from samplemind_tasks.cli.call import Call, command, one_of
from samplemind_tasks.cli.category_names import category_called
from samplemind_tasks.cli.client import Json, as_shown
from samplemind_tasks.cli.list_filters import key_name
from samplemind_tasks.cli.meant import find_sample
from samplemind_tasks.curation import MOST_AT_ONCE, EditAnswer
from samplemind_tasks.errors import SampleMindError
from samplemind_tasks.features import Kind
from samplemind_tasks.said import SAID_FIELDS

app = typer.Typer()


def _field(text: str) -> str:
    if text not in SAID_FIELDS:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(SAID_FIELDS)}")
    return text


@command(app, "set")
def set_fields(
    call: Call,
    samples: Annotated[
        list[str],
        typer.Argument(
            metavar="ID|PATH|NAME...", help="Samples; a folder means all that lives in it.", show_default=False
        ),
    ],
    name: Annotated[str | None, typer.Option("--name", help="Shown in place of the file's name.")] = None,
    kind: Annotated[
        Kind | None, typer.Option("--kind", parser=one_of(Kind), metavar="KIND", help=f"{', '.join(Kind)}.")
    ] = None,
    category: Annotated[
        Category | None,
        typer.Option("--category", parser=category_called, metavar="NAME", help="kick, snare, pad, ..."),
    ] = None,
    bpm: Annotated[float | None, typer.Option("--bpm", help="The right tempo.")] = None,
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
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether a whole folder is meant.")] = False,
) -> None:
    """Say what samples are. Nothing that is measured or heard later goes over it.

    samplemind set loop.wav --bpm 87 --key Am; samplemind set ~/Samples/Vinyl --tag dusty
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
    folders = [path for text in samples if (path := Path(text).expanduser()).is_dir()]
    answers = [_edit_folder(call, folder, edit, yes=yes) for folder in folders]
    ids = [find_sample(call, text) for text in samples if not Path(text).expanduser().is_dir()]
    for start in range(0, len(ids), MOST_AT_ONCE):
        answers.append(call.gateway.edit({"ids": ids[start : start + MOST_AT_ONCE], **edit}))
    _tell(call, answers)


def _edit_folder(call: Call, folder: Path, edit: Json, *, yes: bool) -> Json:
    """All that lives in a folder, once a person has seen how many that are."""
    where = {"where": {"path": as_shown(folder.absolute())}, **edit}
    if not yes:
        met = _all_pages(call, {**where, "preview": True})["changed"]
        told = f"This changes {show.count(met)} samples in {as_shown(folder)}."
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
    call.show(f"{show.count(changed)} sample{'' if changed == 1 else 's'} changed")
    if full := sum(len(answer.full) for answer in told):
        call.show(Text(f"{show.count(full)} have no room for more tags", style="yellow"))
