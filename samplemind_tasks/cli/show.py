"""How values look to a person: cells, tables, lines. Pure: schemas in, rich renderables out.

A value that does not exist is "–"; one the analyser is not sure of carries a question mark.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from samplemind_tasks.schemas import Failure, Job, JobState, Sample

NONE = "–"
SURE = 0.5
"""A confidence below this earns a question mark."""
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""Characters that are none, but the line's end."""
WIDE_COLUMNS = 100
SHORT_ID = 10
NAME_COLUMNS = 60
"""A longer name is cut in a table, also in a pipe; --json has it whole."""

STATE_STYLES = {
    JobState.QUEUED: "dim",
    JobState.RUNNING: "cyan",
    JobState.PAUSED: "yellow",
    JobState.DONE: "green",
    JobState.CANCELLED: "dim",
    JobState.FAILED: "bold red",
}


# ------------------------------------------------------------------------------------------------------------ cells


def length(seconds: float) -> str:
    """0.42 s, 12.3 s, 3:25, 1:02:03."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return clock(seconds)


def clock(seconds: float) -> str:
    """0:07, 3:25, 1:02:03."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def number(value: float | None, digits: int = 1) -> str:
    """124, 127.5: no more digits than it needs."""
    if value is None:
        return NONE
    text = fixed(value, digits)
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def fixed(value: float | None, digits: int = 1) -> str:
    """124.0: as many digits as its neighbours in a column."""
    return NONE if value is None else f"{value:.{digits}f}"


def count(value: int) -> str:
    """12 and 1,234,567."""
    return f"{value:,}"


def unsure(text: str, confidence: float | None) -> Text:
    """The text, with a question mark when the analyser is not sure."""
    if text == NONE:
        return Text(text, style="dim")
    return Text(text) if confidence is None or confidence >= SURE else Text(f"{text}?", style="dim")


def footnote(samples: Iterable[Sample]) -> list[Text]:
    """What the question mark means, under a table that has one."""
    confidences = [
        value
        for each in samples
        for value in (each.tempo_confidence, each.key_confidence, each.category_confidence if each.category else None)
    ]
    is_marked = any(value is not None and value < SURE for value in confidences)
    return [Text("? the analyser is not sure", style="dim")] if is_marked else []


def size(size_bytes: float) -> str:
    """812 B, 1.4 MB, 32 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{number(size_bytes, 0 if unit == 'B' or size_bytes >= 100 else 1)} {unit}"
        size_bytes /= 1000
    return f"{number(size_bytes)} TB"


def ago(moment: datetime, now: datetime | None = None) -> str:
    """just now, 5 min ago, 3 h ago, then the date."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 86400:
        return f"{int(seconds // 3600)} h ago"
    return moment.astimezone().strftime("%Y-%m-%d")


def below(path: str, folder: str | None) -> str:
    """The path as seen from the folder, where it lies in it."""
    if folder and Path(path).is_relative_to(folder) and path != folder:
        path = str(Path(path).relative_to(folder))
    return on_one_line(path)


def on_one_line(text: str) -> str:
    """A name with what would end the line, move the cursor or colour the screen written out."""
    return CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text.replace("\n", "\\n"))


def cut(text: str, style: str = "") -> Text:
    """A cell that gives way when the terminal is narrow."""
    return Text(on_one_line(text), style=style, no_wrap=True, overflow="ellipsis")


# ----------------------------------------------------------------------------------------------------------- tables


GIVE_WAY = frozenset({"", "name", "tags", "what", "path", "why", "for example"})
"""Columns that are cut or folded where the terminal is narrow; the others stay whole."""


def grid(*heads: str) -> Table:
    """An empty table without lines. A head that starts with ">" is a column of numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_header=any(heads))
    for head in heads:
        justify: JustifyMethod = "right" if head.startswith(">") else "left"
        table.add_column(head.removeprefix(">"), justify=justify, no_wrap=head not in GIVE_WAY)
    return table


def sample_cells(sample: Sample) -> list[Text | str]:
    """What every table of samples says of one; heads are SAMPLE_HEADS."""
    name = cut(sample.name)
    name.truncate(NAME_COLUMNS, overflow="ellipsis")
    return [
        name,
        str(sample.kind),
        category(sample),
        unsure(fixed(sample.tempo_bpm), sample.tempo_confidence),
        unsure(sample.key or NONE, sample.key_confidence),
        length(sample.duration_s),
        fixed(sample.loudness_lufs),
        cut(", ".join(sample.tags) or NONE, style="dim"),
    ]


SAMPLE_HEADS = ("name", "kind", "category", ">bpm", "key", ">length", ">LUFS", "tags")


def sample_table(samples: Iterable[Sample], *, ids: bool = True, width: int = WIDE_COLUMNS) -> Table:
    """Samples, one a line; a narrow terminal has room for short ids, or for loudness and tags."""
    heads = SAMPLE_HEADS[:-2] if ids and width < WIDE_COLUMNS else SAMPLE_HEADS
    table = grid(*(["id"] if ids else []), *heads)
    for sample in samples:
        table.add_row(*([short(sample.id, width)] if ids else []), *sample_cells(sample)[: len(heads)])
    return table


def short(whole_id: str, width: int) -> Text:
    """An id, or its first characters where there is little room: every command takes both."""
    return Text(whole_id if width >= WIDE_COLUMNS else whole_id[:SHORT_ID], style="dim")


def category(sample: Sample) -> Text:
    """What it is called; a person's word stands as it is."""
    return unsure(str(sample.category or NONE), sample.category_confidence)


def state(job: Job) -> Text:
    return Text(str(job.state), style=STATE_STYLES[job.state])


def job_table(jobs: Iterable[Job], width: int = WIDE_COLUMNS) -> Table:
    """Jobs, one a line."""
    table = grid("id", "state", ">found", ">done", ">failed", ">skipped", "started", "what")
    for job in jobs:
        counts = job.counts
        numbers = [count(value) for value in (counts.found, counts.done, counts.failed, counts.skipped)]
        table.add_row(short(job.id, width), state(job), *numbers, ago(job.created_at), cut(what(job)))
    return table


def what(job: Job) -> str:
    """Where a job takes its places from."""
    return job.path or (f"retry of {job.retry_of}" if job.retry_of else str(job.kind))


def failure_table(failures: Iterable[Failure], folder: str | None) -> Table:
    table = grid("code", "path", "why")
    for failure in failures:
        path = Text(below(failure.path, folder), overflow="fold")
        table.add_row(Text(str(failure.code), style="red"), path, failure.message)
    return table


def facts(pairs: Sequence[tuple[str, Text | str]]) -> Table:
    """Names and values, one pair a line."""
    table = grid("", "")
    for name, value in pairs:
        table.add_row(Text(name, style="dim"), value)
    return table
