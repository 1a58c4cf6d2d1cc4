"""A job while it runs and when it has ended, as a person sees it. Pure: a Job in, renderables out."""

from collections.abc import Iterable
from itertools import islice

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from samplemind_tasks.cli import show
from samplemind_tasks.schemas import Failure, Job, JobState

BAR_COLUMNS = (16, 48)
STAGES = 3
EXAMPLES = 3
"""Paths shown for each code of failure."""


def ended(job: Job) -> int:
    """Places nothing more will happen to."""
    return job.counts.done + job.counts.failed + job.counts.skipped + job.counts.cancelled


def part_done(job: Job) -> float:
    """From 0 to 1. A place on its way counts by the stages behind it, so that the bar moves from the first second."""
    counts, stages = job.counts, job.stages
    if not counts.found:
        return 0.0
    steps = stages.analyzed + stages.embedded + stages.indexed
    travelled = steps / STAGES + counts.failed + counts.skipped + counts.cancelled
    return min(1.0, max(travelled, ended(job)) / counts.found)


def outcomes(job: Job) -> list[str]:
    """What became of the places so far: "612 done", "3 failed", and what the job waits for."""
    counts = job.counts
    named = {"done": counts.done, "skipped": counts.skipped, "failed": counts.failed, "cancelled": counts.cancelled}
    said = [f"{show.count(value)} {name}" for name, value in named.items() if value or name == "done"]
    if job.waiting_for and job.state is JobState.RUNNING:
        said.append(f"waiting for {job.waiting_for}")
    return said


def pace(job: Job) -> list[str]:
    """How fast it goes and how long it will take, where that is known."""
    if job.state is JobState.PAUSED:
        return ["paused"]
    said = []
    if job.rate_per_s:
        said.append(f"{show.number(job.rate_per_s)}/s")
    if job.eta_s is not None and job.scan_done and job.rate_per_s:
        said.append(f"{show.clock(job.eta_s)} left")
    return said


def found(job: Job) -> str:
    """640, or 640+ while the scan still finds more."""
    return show.count(job.counts.found) + ("" if job.scan_done else "+")


def plain_line(job: Job) -> str:
    """One line of a log."""
    if not job.counts.found:
        return "queued" if job.state is JobState.QUEUED else "looking for sounds"
    head = f"{show.count(ended(job))}/{found(job)} ({100 * ended(job) // job.counts.found}%)"
    return " · ".join([head, *outcomes(job), *pace(job)])


def live_view(job: Job, note: str, width: int) -> RenderableType:
    """Two lines that change in place: a bar, and what became of the places."""
    bar_columns = max(BAR_COLUMNS[0], min(BAR_COLUMNS[1], width - 40))
    bar = ProgressBar(
        total=1.0 if job.counts.found else None,
        completed=part_done(job),
        width=bar_columns,
        pulse=not job.counts.found,
        style="grey23",
        complete_style="cyan",
        finished_style="green",
        pulse_style="cyan",
    )
    line = Table.grid(padding=(0, 2, 0, 0))
    head = f"{show.count(ended(job))}/{found(job)}" if job.counts.found else plain_line(job)
    line.add_row(bar, head, Text(" · ".join(pace(job)), style="dim"))
    under = Text(" · ".join(outcomes(job)) if job.counts.found else "", style="dim", no_wrap=True, overflow="ellipsis")
    return Group(line, under, *([Text(note, style="yellow")] if note else []))


def summary(job: Job) -> Text:
    """One sentence about a job that has ended."""
    took = f" in {show.clock((job.finished_at - job.created_at).total_seconds())}" if job.finished_at else ""
    said = outcomes(job)
    if not job.counts.found:
        said = ["no audio files there"]
    elif job.counts.skipped == job.counts.found:
        unchanged = "1 file is" if job.counts.skipped == 1 else f"{show.count(job.counts.skipped)} files are"
        said = [f"nothing new: {unchanged} unchanged"]
    if job.failed_before:
        said.append(f"{show.count(job.failed_before)} of them failed before (samplemind failures of the earlier job)")
    if job.state is JobState.FAILED and job.problem:
        said = [job.problem.code.replace("_", " ")]
    return Text.assemble(
        (str(job.state), f"bold {show.STATE_STYLES[job.state]}"),
        f"  {found(job)} file{'' if job.counts.found == 1 else 's'}{took}: ",
        " · ".join(said),
    )


def failure_groups(job: Job, examples: Iterable[tuple[str, list[Failure]]]) -> Table:
    """Failures by code: how many, what it means, and a few paths."""
    table = show.grid(">failed", "code", "for example")
    for code, failures in examples:
        lines = [f"{show.below(failure.path, job.path)}: {failure.message}" for failure in islice(failures, EXAMPLES)]
        more = job.failures[code] - len(lines)
        if more > 0:
            lines.append(f"and {show.count(more)} more")
        table.add_row(show.count(job.failures[code]), Text(code, style="red"), Text("\n".join(lines), style="dim"))
    return table


def job_facts(job: Job) -> Table:
    """Everything about one job."""
    counts, stages = job.counts, job.stages
    pairs: list[tuple[str, Text | str]] = [
        ("job", job.id),
        ("state", Text.assemble(show.state(job), f"  {plain_line(job)}")),
        ("what", Text(show.what(job), overflow="fold")),
        ("started", show.ago(job.created_at)),
        (
            "places",
            f"{found(job)} found = {counts.waiting} waiting + {counts.leased} at work + {counts.done} done"
            f" + {counts.failed} failed + {counts.skipped} skipped + {counts.cancelled} cancelled",
        ),
        ("stages", f"{stages.analyzed} analysed · {stages.embedded} heard · {stages.indexed} searchable"),
    ]
    if job.retry_of:
        pairs.append(("retry of", job.retry_of))
    if job.failures:
        pairs.append(("failures", ", ".join(f"{show.count(n)} {code}" for code, n in job.failures.items())))
    if job.problem:
        pairs.append(("problem", Text(f"{job.problem.code}: {job.problem.message}", style="red")))
    return show.facts(pairs)
