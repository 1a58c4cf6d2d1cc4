"""Commands about the library: list, show, delete, stats."""

import re
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from samplemind_tasks.categories import Category
from samplemind_tasks.cli import show
from samplemind_tasks.cli.call import Call, command, named_path, one_of
from samplemind_tasks.cli.client import PAGE, Json, Query, as_shown
from samplemind_tasks.cli.sheet import sample_sheet
from samplemind_tasks.errors import NotFound
from samplemind_tasks.features import Kind
from samplemind_tasks.schemas import Sample, SampleDetail, Stats

app = typer.Typer()

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
    """A minor, from "A minor", "Am", "a min" or "amin"; C major from "C" or "Cmaj". 8A (Camelot) stays."""
    match = re.fullmatch(r"\s*([A-Ga-g])\s*([#b♯♭]?)\s*(m|min|minor|maj|major|)\s*", text)
    if match:
        tonic, accidental, mode = match.groups()
        accidental = {"♯": "#", "♭": "b"}.get(accidental, accidental)
        return f"{tonic.upper()}{accidental} {'minor' if mode in ('m', 'min', 'minor') else 'major'}"
    if re.fullmatch(r"\s*([1-9]|1[0-2])[ABab]\s*", text):
        return text.strip().upper()
    raise typer.BadParameter(f'{text!r} is no key: write "A minor", Am, "F# major" or 8A')


SampleArgument = Annotated[
    str, typer.Argument(metavar="ID|PATH", help="A sample's id, its first characters, or its file.", show_default=False)
]
KINDS = f"Only one kind: {', '.join(Kind)}."


@command(app, "list")
def list_samples(
    call: Call,
    kind: Annotated[Kind | None, typer.Option("--kind", parser=one_of(Kind), metavar="KIND", help=KINDS)] = None,
    key: Annotated[str | None, typer.Option("--key", help='"A minor", Am or 8A.', parser=key_name)] = None,
    bpm: Annotated[str | None, typer.Option("--bpm", metavar="MIN-MAX", help="120-130, 120-, -130 or 124.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="Only what the model heard this in.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Part of the name.")] = None,
    category: Annotated[
        Category | None,
        typer.Option("--category", parser=one_of(Category), metavar="NAME", help="kick, snare, pad, ..."),
    ] = None,
    favourite: Annotated[bool, typer.Option("--favourite", help="Only favourites.")] = False,
    path: Annotated[
        Path | None, typer.Option("--path", metavar="PATH", parser=named_path, help="Only what lives in this folder.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many; 0 means all.")] = 50,
) -> None:
    """List samples, narrowed by what was measured."""
    tempo_min, tempo_max = bpm_range(bpm) if bpm else (None, None)
    folder = as_shown(path.expanduser().absolute()) if path else None
    tempo = {"tempo_min": tempo_min, "tempo_max": tempo_max}
    words = {"tag": tag and [as_shown(each) for each in tag], "name": name and as_shown(name)}
    said = {"category": category, "favourite": favourite or None}
    wanted = {"kind": kind, "key": key, **tempo, **words, **said, "path": folder}
    query: Query = {field: value for field, value in wanted.items() if value is not None}
    answers = call.gateway.samples({**query, "limit": min(limit + 1, PAGE) if limit else PAGE})
    if call.as_json:
        for answer in islice(answers, limit or None):
            call.answer(answer)
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


def find_sample(call: Call, id_or_path: str) -> str:
    """The id of the sample that is meant. Whatever is no run of hexadecimal digits is a path."""
    if re.fullmatch(r"[0-9a-f]{6,}", id_or_path) and not Path(id_or_path).exists():
        return id_or_path
    path = Path(id_or_path).expanduser().absolute()
    found = None if path.is_dir() else call.gateway.sample_at(path)
    if found is None and not path.exists():
        raise NotFound(f"no sample has the id {as_shown(id_or_path)!r}, and there is no file of that name")
    if found is None:
        raise NotFound(f"{as_shown(path)} is not in the library")
    return str(found["id"])


def _sample(answer: Json) -> Sample:
    return Sample.model_validate(answer, extra="ignore")
