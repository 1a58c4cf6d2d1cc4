"""The filters of `list`, for every command that takes a part of the library."""

import functools
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from samplemind_tasks.categories import Category
from samplemind_tasks.cli.call import named_path, one_of
from samplemind_tasks.cli.category_names import category_called
from samplemind_tasks.cli.client import as_shown
from samplemind_tasks.cli.transport import Query
from samplemind_tasks.features import Kind
from samplemind_tasks.keynames import read_key
from samplemind_tasks.schemas import SampleState

HALF_A_BPM = 0.5
"""--bpm 124 means what is shown as 124."""


def bpm_range(text: str) -> tuple[float | None, float | None]:
    """120-130, 120- (from), -130 (up to) or 124 (about)."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)?\s*([-–:]?)\s*(\d+(?:\.\d+)?)?\s*", text)
    low, dash, high = match.groups() if match else (None, "", None)
    if low is None and high is None:
        raise typer.BadParameter(f"{text!r} is no range of tempo: write 120-130, 120-, -130 or 124")
    if not dash:
        exact = float(low or high or 0)
        return exact - HALF_A_BPM, exact + HALF_A_BPM
    if low and high and float(low) > float(high):
        raise typer.BadParameter(f"{text!r}: the first tempo is the lower one")
    return (float(low) if low else None, float(high) if high else None)


def key_name(text: str) -> str:
    """A minor, from "A minor", "Am", "a-Moll" or "8A"; C major from "C"."""
    name = read_key(text.strip().capitalize())
    if name is None:
        raise typer.BadParameter(f'{text!r} is no key: write "A minor", Am, H-Moll, "F# major" or 8A')
    return name


KINDS = f"Only one kind: {', '.join(Kind)}."
Body = Callable[..., int | None]


def filter_query(
    kind: Annotated[
        Kind | None,
        typer.Option("--kind", parser=one_of(Kind), metavar="KIND", help=KINDS),
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help='"A minor", Am or 8A.', parser=key_name)] = None,
    bpm: Annotated[str | None, typer.Option("--bpm", metavar="MIN-MAX", help="120-130, 120-, -130 or 124.")] = None,
    octaves: Annotated[bool, typer.Option("--octaves", help="Half and double that tempo too.")] = False,
    compatible: Annotated[bool, typer.Option("--compatible", help="Keys that mix with that key too.")] = False,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="Only what has this tag. Again for more.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Part of the name.")] = None,
    category: Annotated[
        Category | None,
        typer.Option("--category", parser=category_called, metavar="NAME", help="kick, snare, pad, ..."),
    ] = None,
    favourite: Annotated[bool, typer.Option("--favourite", help="Only favourites.")] = False,
    state: Annotated[
        SampleState | None,
        typer.Option("--state", parser=one_of(SampleState), metavar="STATE", help="analyzed, or ready: searchable."),
    ] = None,
    path: Annotated[
        Path | None, typer.Option("--path", metavar="PATH", parser=named_path, help="Only what lives in this folder.")
    ] = None,
) -> Query:
    """What a request to the gateway says of them."""
    tempo_min, tempo_max = bpm_range(bpm) if bpm else (None, None)
    wanted = {
        "kind": kind, "key": key, "tempo_min": tempo_min, "tempo_max": tempo_max, "category": category, "state": state,
        "tag": tag and [as_shown(each) for each in tag], "name": name and as_shown(name),
        "tempo_octaves": octaves or None, "key_compatible": compatible or None,
        "favourite": favourite or None, "path": as_shown(path.expanduser().absolute()) if path else None,
    }  # fmt: skip
    return {field: value for field, value in wanted.items() if value is not None}


def with_filters(body: Body) -> Body:
    """Give a command the options of the filters; it is handed what they come to as `wanted`."""
    options = inspect.signature(filter_query, eval_str=True).parameters

    @functools.wraps(body)
    def filtered(*call: object, **arguments: object) -> int | None:
        given = {name: arguments.pop(name) for name in options}
        return body(*call, wanted=filter_query(**given), **arguments)  # type: ignore[arg-type]  # as its signature says

    own = [row for row in inspect.signature(body, eval_str=True).parameters.values() if row.name != "wanted"]
    both = [row.replace(kind=inspect.Parameter.KEYWORD_ONLY) for row in (*own[1:], *options.values())]
    filtered.__signature__ = inspect.Signature([own[0], *both])  # type: ignore[attr-defined]
    return filtered
