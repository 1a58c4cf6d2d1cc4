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
        if not exact:
            raise typer.BadParameter("nothing has a tempo of 0")
        return exact - HALF_A_BPM, exact + HALF_A_BPM
    if low and high and float(low) > float(high):
        raise typer.BadParameter(f"{text!r}: the first tempo is the lower one")
    return (float(low) if low else None, float(high) if high else None)


def some_text(text: str) -> str:
    """A text that an empty one cannot pass for."""
    if not text:
        raise typer.BadParameter("is empty: leave it out")
    return text


def span(text: str) -> dict[str, float | None]:
    """0.5-2, 0.5- (from) or -2 (up to); a lower end below zero is written with two dots: -20..-8, -20.., ..-8."""
    number = r"[+-]?\d+(?:\.\d+)?"
    match = re.fullmatch(rf"\s*({number})?\s*\.\.\s*({number})?\s*", text)
    match = match or re.fullmatch(r"\s*(\d+(?:\.\d+)?)?\s*[-–]\s*(\d+(?:\.\d+)?)?\s*", text)
    least, most = match.groups() if match else (None, None)
    if least is None and most is None:
        raise typer.BadParameter(f"{text!r} is no range: write 0.5-2, 0.5-, -2, or -20..-8")
    if least and most and float(least) > float(most):
        raise typer.BadParameter(f"{text!r}: the lower end comes first")
    return {"least": float(least) if least else None, "most": float(most) if most else None}


def key_name(text: str) -> str:
    """A minor, from "A minor", "Am", "a-Moll" or "8A"; C major from "C"."""
    name = read_key(text.strip().capitalize())
    if name is None:
        raise typer.BadParameter(f'{text!r} is no key: write "A minor", Am, H-Moll, "F# major" or 8A')
    return name


RANGE = "MIN-MAX"
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
    duration: Annotated[str | None, typer.Option("--duration", metavar=RANGE, help="Seconds.")] = None,
    loudness: Annotated[str | None, typer.Option("--loudness", metavar="MIN..MAX", help="LUFS, as in -20..-8.")] = None,
    brightness: Annotated[str | None, typer.Option("--brightness", metavar=RANGE, help="Centroid, Hz.")] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", parser=some_text, metavar="TEXT", help="Only what has this tag. Again for more."),
    ] = None,
    word: Annotated[list[str] | None, typer.Option("--word", help="Only what is bright, dark, punchy, ...")] = None,
    name: Annotated[
        str | None, typer.Option("--name", parser=some_text, metavar="TEXT", help="Part of the name.")
    ] = None,
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
        Path | None,
        typer.Option("--path", "--folder", metavar="PATH", parser=named_path, help="Only what lives in this folder."),
    ] = None,
) -> Query:
    """What a request to the gateway says of them."""
    check_modifiers(bpm=bpm, octaves=octaves, key=key, compatible=compatible)
    tempo_min, tempo_max = bpm_range(bpm) if bpm else (None, None)
    wanted = {
        "kind": kind, "key": key, "tempo_min": tempo_min, "tempo_max": tempo_max, "category": category, "state": state,
        "tag": tag and [as_shown(each) for each in tag], "name": name and as_shown(name),
        "tempo_octaves": octaves or None, "key_compatible": compatible or None,
        "favourite": favourite or None, "path": as_shown(path.expanduser().absolute()) if path else None,
        "word": word or None, **_bounds("duration", duration), **_bounds("loudness", loudness),
        **_bounds("brightness", brightness),
    }  # fmt: skip
    return {field: value for field, value in wanted.items() if value is not None}


def check_modifiers(*, bpm: str | None, octaves: bool, key: str | None, compatible: bool) -> None:
    """Refuse what widens a filter that is not there: it would pass for one."""
    if octaves and not bpm:
        raise typer.BadParameter("--octaves widens --bpm: give that too")
    if compatible and not key:
        raise typer.BadParameter("--compatible widens --key: give that too")


def _bounds(name: str, text: str | None) -> dict[str, float | None]:
    between = span(text) if text else {}
    return {f"{name}_min": between.get("least"), f"{name}_max": between.get("most")}


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
