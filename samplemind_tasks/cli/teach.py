"""`samplemind teach`: labels of one's own, learned from a folder that is sorted into subfolders."""

import shlex
import time
import uuid
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from samplemind_tasks.cli import show
from samplemind_tasks.cli.call import Call, command, named_path, program
from samplemind_tasks.cli.client import as_shown, folder_job
from samplemind_tasks.cli.transport import Json
from samplemind_tasks.cli.watch import follow
from samplemind_tasks.queries import Labelling, LessonAnswer

app = typer.Typer()

LOOK_EVERY_S = 0.3
PATIENCE_S = 30.0
"""The library is labelled in the background; where it stands still for so long, a person need not wait."""


@command(app)
def teach(
    call: Call,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]",
            parser=named_path,
            help="Each subfolder with 5 sounds or more is a label. Without: what was taught.",
            show_default=False,
        ),
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Take back what was taught.")] = False,
) -> int:
    """Teach labels of your own by a folder you sorted.

    The folder is analysed first, as by `add`. Subfolders named like a category (Kicks, BD, Closed Hats) decide the
    category of what sounds alike. Any other name becomes a tag, also one that only says a sort of fx or of other
    percussion (Robots, Rain, Tabla), or hints at several (Drums, 808). What sounds like nothing you sorted keeps
    what the model calls it, and what you said of a sample by hand stays.
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
    _show(call, _when_labelled(call, call.gateway.teach(as_shown(path))))
    return 0


def _when_labelled(call: Call, answer: Json) -> Json:
    """The lesson when the library is labelled by it; as it is, where that stands still."""
    last, moved_at = None, time.monotonic()
    while (labelling := answer.get("labelling")) and labelling["under_way"]:
        if labelling["written"] != last:
            last, moved_at = labelling["written"], time.monotonic()
            call.tell(Text(f"labelling the library: {show.count(last)} of {show.count(labelling['samples'])}", "dim"))
        if time.monotonic() - moved_at > PATIENCE_S:
            break
        time.sleep(LOOK_EVERY_S)
        answer = call.gateway.lesson()
    return answer


def _show(call: Call, answer: Json) -> None:
    call.answer(answer)
    lesson = LessonAnswer.model_validate(answer, extra="ignore")
    labels = [_label(lesson, name) for name in sorted(lesson.sounds, key=lambda name: -lesson.sounds[name])]
    sounds, count = sum(lesson.sounds.values()), show.count
    facts = [
        ("learned from", Text(f"{as_shown(lesson.folder)}: {count(sounds)} sounds, {count(len(labels))} labels")),
        ("labels", Text("\n").join(labels)),
        ("right", Text(f"{lesson.accuracy:.0%} of the sounds when they were held out; unsure counts as wrong")),
    ]
    if lesson.left_out:
        few = ", ".join(f"{label} ({count(sounds)})" for label, sounds in lesson.left_out.items())
        facts.append(("set aside", Text(f"too few sounds: {few}", style="yellow")))
    if lesson.set_aside:
        told = ", ".join(f"{count(sounds)} {why}" for why, sounds in lesson.set_aside.items())
        facts.append(("" if lesson.left_out else "set aside", Text(told, style="yellow")))
    if lesson.labelling is not None:
        facts.append(("changed", _changed(lesson.labelling)))
    call.show(show.facts(facts))
    if not lesson.in_use:
        call.show(Text("another model is in use now: teach again", style="yellow"))
    else:
        call.show("", Text(_next_step(lesson), style="dim"))


def _label(lesson: LessonAnswer, name: str) -> Text:
    category = lesson.categories.get(name)
    becomes = f"category {category}" if category else "a tag"
    return Text.assemble(f"{show.count(lesson.sounds[name])} {name}", (f"  {becomes}", "dim"))


def _changed(labelling: Labelling) -> Text:
    """What the lesson made of the library."""
    count = show.count
    told = f"{count(labelling.changed)} of {count(labelling.samples)} samples have another category"
    told += f", {count(labelling.tagged)} other tags" if labelling.tagged else ""
    still = f"; {count(labelling.samples - labelling.written)} still to be looked at" if labelling.under_way else ""
    return Text(told + still)


def _next_step(lesson: LessonAnswer) -> str:
    """What a person may want now: look at what came of it, mend it, or take it back."""
    name = max(lesson.sounds, key=lambda name: lesson.sounds[name])
    category = lesson.categories.get(name)
    look = f"--category {shlex.quote(category)}" if category else f"--tag {shlex.quote(name)}"
    return (
        f"next: `{program()} list {look}` shows what came of it; sort more sounds and teach again where it is wrong; "
        "`teach --forget` takes it back"
    )
