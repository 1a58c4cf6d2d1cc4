"""Commands about queues, and holding up work: queues, pause, resume."""

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from samplemind_tasks.cli import show
from samplemind_tasks.cli.call import Call, command
from samplemind_tasks.cli.client import ID_OR_PREFIX
from samplemind_tasks.cli.transport import Json
from samplemind_tasks.cli.watch import read_job
from samplemind_tasks.queue_views import QueueView

app = typer.Typer()

QUEUES_TO_PAUSE = ["cpu.now", "cpu", "gpu.now", "gpu"]
"""Those that can be paused, for the shell to complete."""

WhatArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="QUEUE_OR_JOB",
        help="Queues by name, jobs by id or its first characters.",
        show_default=False,
        autocompletion=lambda: QUEUES_TO_PAUSE,
    ),
]


@command(app)
def queues(call: Call) -> None:
    """Show what waits in each queue, and who takes from it."""
    _show_queues(call, call.gateway.queues())


@command(app)
def pause(call: Call, what: WhatArgument) -> None:
    """Hold a job or a queue until `resume`. What is at work ends.

    `cpu` and `gpu` carry bulk work, `cpu.now` and `gpu.now` what somebody waits for.
    """
    _steer(call, what, "pause")


@command(app)
def resume(call: Call, what: WhatArgument) -> None:
    """Let a paused job or queue go on."""
    _steer(call, what, "resume")


def _steer(call: Call, what: list[str], verb: str) -> None:
    """Jobs first, then queues, each kind shown as its own command shows it."""
    jobs = [call.gateway.steer(name, verb) for name in what if ID_OR_PREFIX.fullmatch(name)]
    for answer in jobs:
        call.answer(answer)
    if jobs:
        call.show(show.job_table(map(read_job, jobs), call.out.width))
    answers = [call.gateway.steer_queue(name, verb) for name in what if not ID_OR_PREFIX.fullmatch(name)]
    if answers:
        _show_queues(call, answers[-1])


def _show_queues(call: Call, answer: Json) -> None:
    for queue in answer["queues"]:
        call.answer(queue)
    call.show(queue_table(QueueView.model_validate(row, extra="ignore") for row in answer["queues"]))


def queue_table(queues: Iterable[QueueView]) -> Table:
    """Queues, one a line."""
    table = show.grid("queue", ">messages", ">taken", ">chunks waiting", ">at work", ">workers", "state")
    for queue in queues:
        chunks = [show.NONE if value is None else show.count(value) for value in _chunks(queue)]
        workers = Text(show.count(queue.workers), style="" if queue.workers else "bold red")
        table.add_row(
            queue.name, show.count(queue.messages), show.count(queue.taken), *chunks, workers, queue_state(queue)
        )
    return table


def _chunks(queue: QueueView) -> tuple[int | None, int | None]:
    return queue.chunks_waiting, queue.chunks_at_work


def queue_state(queue: QueueView) -> Text:
    """Whether it moves."""
    if queue.paused_since is not None:
        return Text(f"paused {show.ago(queue.paused_since)}", style="yellow")
    if not queue.workers:
        return Text("no worker", style="bold red")
    return Text("open", style="green")
