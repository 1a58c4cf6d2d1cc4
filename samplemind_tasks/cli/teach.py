"""`samplemind teach`: labels of one's own, learned from a folder that is sorted into subfolders."""

import uuid
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from samplemind_tasks.cli import show
from samplemind_tasks.cli.call import Call, command, named_path
from samplemind_tasks.cli.client import Json, as_shown, folder_job
from samplemind_tasks.cli.watch import follow
from samplemind_tasks.queries import LessonAnswer

app = typer.Typer()


@command(app)
def teach(
    call: Call,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]",
            parser=named_path,
            help="Each subfolder is a label. Without: what was taught.",
            show_default=False,
        ),
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Take back what was taught.")] = False,
) -> int:
    """Teach labels of your own by a folder you sorted.

    The folder is analysed first, as by `add`. Subfolders named like a category (Kicks, Closed Hats) decide the
    category of what sounds alike, unless the model is sure of one that was not taught; any other name becomes a tag.
    What you said of a sample by hand stays.
    """  # fmt: skip
    if forget:
        call.gateway.forget_lesson()
        call.answer({"forgotten": True})
        call.show("forgotten: the library is labelled by the model alone again")
        return 0
    if folder is None:
        _show(call, call.gateway.lesson())
        return 0
    path = folder.expanduser().absolute()
    job = call.gateway.add(folder_job(path), key=uuid.uuid4().hex)
    ended = follow(call, job)
    if ended:
        return ended
    call.tell(Text("learning", style="dim"))
    _show(call, call.gateway.teach(as_shown(path)))
    return 0


def _show(call: Call, answer: Json) -> None:
    call.answer(answer)
    lesson = LessonAnswer.model_validate(answer, extra="ignore")
    labels = " · ".join(f"{count} {label}" for label, count in lesson.sounds.items())
    facts = [
        ("learned from", Text(as_shown(lesson.folder))),
        ("labels", Text(labels)),
        ("right", Text(f"{lesson.accuracy:.0%} of sounds that were held out (unsure counts as wrong)")),
    ]
    if lesson.left_out:
        few = ", ".join(f"{label} ({count})" for label, count in lesson.left_out.items())
        facts.append(("too few sounds of", Text(few, style="yellow")))
    call.show(show.facts(facts))
    if not lesson.in_use:
        call.show(Text("another model is in use now: teach again", style="yellow"))
