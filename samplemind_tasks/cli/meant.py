"""Which sample a person means on the command line, and paths for other programs."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from samplemind_tasks.cli import found, show
from samplemind_tasks.cli.call import Call
from samplemind_tasks.cli.client import WHOLE_ID, as_shown
from samplemind_tasks.cli.transport import Json
from samplemind_tasks.errors import NotFound, SampleMindError
from samplemind_tasks.schemas import Sample

SHOWN_NAMESAKES = 10

SampleArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID|PATH|NAME",
        help="A sample's id or its first characters, its file, or its name as lists show it.",
        show_default=False,
    ),
]
PathsOption = Annotated[bool, typer.Option("--paths", help="Only the files, one absolute path a line.")]
NullOption = Annotated[
    bool, typer.Option("--null", "-0", help="Only the files, each ended by a NUL, as xargs -0 takes any name.")
]


def find_sample(call: Call, text: str) -> str:
    """The id of the sample that is meant. A file that is there is that file; anything else may be a name.

    Raises
    ------
    NotFound : there is none, or the file is not in the library.
    SampleMindError : several samples are called so.
    """
    if re.fullmatch(rf"[0-9a-f]{{{WHOLE_ID}}}", text):
        return text
    path = Path(text).expanduser()
    if path.is_file():
        at = call.gateway.sample_at(path.absolute())
        if at is None:
            raise NotFound(f"{as_shown(path.absolute())} is not in the library", code="no_such_sample")
        return str(at["id"])
    answer = call.gateway.lookup(as_shown(text), SHOWN_NAMESAKES)
    if len(answer["samples"]) == 1:
        return str(answer["samples"][0]["id"])
    if answer["samples"]:
        raise _several(text, answer)
    gone = None if path.is_dir() else call.gateway.sample_at(path.absolute())
    if gone is None:
        raise NotFound(
            f"nothing in the library is called {as_shown(text)!r}, and there is no such file", code="no_such_sample"
        )
    return str(gone["id"])


def _several(text: str, answer: Json) -> SampleMindError:
    """Which samples are called so, and what tells them apart."""
    samples = [Sample.model_validate(row, extra="ignore") for row in answer["samples"]]
    lines = [f"  {sample.id[: show.SHORT_ID]}  {found.place(sample) or sample.name}" for sample in samples]
    if (more := int(answer["total"]) - len(samples)) > 0:
        lines.append(f"  and {show.count(more)} more")
    told = f"{show.count(int(answer['total']))} samples may be meant by {as_shown(text)!r}:"
    return SampleMindError("\n".join([told, *lines]), code="ambiguous")


def print_paths(call: Call, paths: Iterable[str | None], *, null: bool) -> None:
    """Files for another program; how many samples have none is told on stderr."""
    fileless = 0
    for path in paths:
        if path is None:
            fileless += 1
        elif not call.as_json:
            typer.echo(path, nl=not null)
            if null:
                typer.echo("\0", nl=False)
    if fileless:
        call.tell(Text(f"{fileless} without a file: uploaded, or the file is gone", style="dim"))
