"""Doing one stage of what is in the library again: reprocess."""

import sys
import uuid
from typing import Annotated

import typer

from samplemind_tasks.cli import show
from samplemind_tasks.cli.call import Call, command, one_of
from samplemind_tasks.cli.jobs import WaitOption, started
from samplemind_tasks.cli.list_filters import with_filters
from samplemind_tasks.cli.transport import Query
from samplemind_tasks.errors import SampleMindError
from samplemind_tasks.stages import Redone

app = typer.Typer()

WHAT_IT_DOES = {
    Redone.ANALYZE: "measures {what} anew",
    Redone.EMBED: "has the model listen to {what} anew",
    Redone.INDEX: "makes {what} searchable anew",
}


@command(app)
@with_filters
def reprocess(
    call: Call,
    wanted: Query,
    stage: Annotated[
        Redone,
        typer.Argument(metavar="[STAGE]", parser=one_of(Redone), help="analyze (measure), embed (listen) or index."),
    ] = Redone.EMBED,
    all_: Annotated[
        bool, typer.Option("--all", help="Everything anew; without it, what has no result of today's version.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether --all is meant.")] = False,
    wait: WaitOption = True,
) -> int:
    """Do a stage of what is in the library again, as after a change of the model.

    What you said of a sample stays.
    """
    if all_ and not yes:
        _confirm(call, stage, wanted)
    request = {"stage": stage, "which": "all" if all_ else "missing", "path": wanted.pop("path", None)}
    return started(call, call.gateway.reprocess(request, wanted, key=uuid.uuid4().hex), wait)


def _confirm(call: Call, stage: Redone, wanted: Query) -> None:
    """Ask before hours of work are begun; where nobody can answer, --yes is the answer."""
    what = "what these filters keep" if wanted else f"all {show.count(call.gateway.stats()['samples'])} samples"
    told = f"This {WHAT_IT_DOES[stage].format(what=what)}."
    if call.as_json or not sys.stdin.isatty():
        raise SampleMindError(f"{told} Say --yes if that is meant.", code="unconfirmed")
    if not typer.confirm(f"{told} Go on?", err=True):
        raise typer.Exit(1)
