"""Commands about jobs: add, jobs, failures, retry, cancel."""

import re
import uuid
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from samplemind_tasks.cli import progress, show
from samplemind_tasks.cli.call import Call, command, named_path, one_of, program
from samplemind_tasks.cli.client import as_shown, folder_job
from samplemind_tasks.cli.transport import Json
from samplemind_tasks.cli.watch import follow, read_job
from samplemind_tasks.errors import FailureCode
from samplemind_tasks.features import LEAST_BPM, MOST_BPM
from samplemind_tasks.schemas import Failure

app = typer.Typer()

JobArgument = Annotated[
    str, typer.Argument(metavar="JOB", help="A job's id, or its first characters.", show_default=False)
]
WaitOption = Annotated[bool, typer.Option("--wait/--no-wait", help="Watch the job until it has ended.")]

EXPECTED_BPM = "Tempi to expect of what is measured: 70-140 halves 170. With --everything, of known files too."


def expected_bpm(text: str) -> tuple[float, float]:
    """The tempi a job is to expect: 70-140."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*[-–:]\s*(\d+(?:\.\d+)?)\s*", text)
    low, high = (float(match[1]), float(match[2])) if match else (0.0, 0.0)
    if not LEAST_BPM < low < high < MOST_BPM:
        raise typer.BadParameter(f"{text!r}: name the lowest and the highest tempo, as in 70-140")
    return low, high


CodeOption = Annotated[
    FailureCode | None,
    typer.Option("--code", metavar="CODE", parser=one_of(FailureCode), help="Only failures of this code."),
]


@command(app)
def add(
    call: Call,
    path: Annotated[
        Path, typer.Argument(metavar="PATH", parser=named_path, help="A folder or a file where the gateway runs.")
    ],
    wait: WaitOption = True,
    include: Annotated[list[str] | None, typer.Option("--include", metavar="GLOB", help="Only what matches.")] = None,
    exclude: Annotated[list[str] | None, typer.Option("--exclude", metavar="GLOB", help="Not what matches.")] = None,
    everything: Annotated[bool, typer.Option("--everything", help="Measure again what is already known.")] = False,
    restore: Annotated[bool, typer.Option("--restore", help="Bring back samples that were deleted.")] = False,
    bpm: Annotated[str | None, typer.Option("--bpm", metavar="MIN-MAX", help=EXPECTED_BPM)] = None,
) -> int:
    """Analyse a folder and make it searchable.

    What is known and unchanged is skipped.
    """
    request = folder_job(
        path.expanduser().absolute(),
        include=include or [],
        exclude=exclude or [],
        rerun="everything" if everything else "missing",
        restore=restore,
        tempo_range_bpm=expected_bpm(bpm) if bpm else None,
    )
    return started(call, call.gateway.add(request, key=uuid.uuid4().hex), wait)


@command(app)
def jobs(
    call: Call,
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB]", help="Everything about one job.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, the newest first.")] = 20,
) -> None:
    """List jobs, or show one."""
    if job:
        answer = call.gateway.job(job)
        call.answer(answer)
        call.show(progress.job_facts(read_job(answer)))
        return
    answers = list(islice(call.gateway.jobs(), limit))
    for answer in answers:
        call.answer(answer)
    call.show(
        show.job_table(map(read_job, answers), call.out.width) if answers else "No jobs yet: samplemind add FOLDER"
    )


@command(app)
def failures(
    call: Call,
    job: JobArgument,
    code: CodeOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many.")] = 100,
) -> None:
    """List the files of a job that have no result, and why."""
    of = read_job(call.gateway.job(job))
    answers = list(islice(call.gateway.failures(of.id, code), limit))
    for answer in answers:
        call.answer(answer)
    if not answers:
        call.show("No failures.")
        return
    call.show(show.failure_table((Failure.model_validate(answer, extra="ignore") for answer in answers), of.path))
    more = sum(n for name, n in of.failures.items() if code in (None, name)) - len(answers)
    if more > 0:
        call.show(Text(f"and {show.count(more)} more: --limit {len(answers) + more}", style="dim"))


@command(app)
def retry(
    call: Call,
    job: JobArgument,
    code: CodeOption = None,
    place: Annotated[list[str] | None, typer.Option("--place", metavar="ID", help="Only this place.")] = None,
    wait: WaitOption = True,
) -> int:
    """Take up the failures of a job again, as a new job."""
    answer = call.gateway.retry(job, code, [as_shown(each) for each in place or []])
    if answer.get("more"):
        call.tell(Text("more failures than one job takes: retry again for the rest", style="yellow"))
    return started(call, answer, wait)


@command(app)
def cancel(call: Call, job: JobArgument) -> None:
    """Stop a job. What is already analysed stays."""
    answer = call.gateway.steer(job, "cancel")
    call.answer(answer)
    call.show(show.job_table([read_job(answer)], call.out.width))


def started(call: Call, answer: Json, wait: bool) -> int:
    """Follow a job that was just accepted, or say where to look."""
    job = read_job(answer)
    if wait:
        call.tell(Text(f"job {job.id}  {show.what(job)}", style="dim"))
        return follow(call, answer)
    call.answer(answer)
    call.show(f"job {job.id} {job.state}", Text(f"look: {program()} jobs {job.id}", style="dim"))
    return 0
