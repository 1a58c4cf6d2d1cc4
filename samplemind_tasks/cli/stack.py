"""`samplemind up` and `samplemind run`: the embedded stack in the foreground, in a process of its own.

    python -m samplemind_tasks.cli.stack up|run

Apart from the other commands because `launch` loads the database drivers.
"""

import dataclasses
import shlex
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from samplemind_tasks.cli import bear_any_name, found, show
from samplemind_tasks.cli.call import Call, command, named_path, program
from samplemind_tasks.cli.client import as_shown, folder_job
from samplemind_tasks.cli.running import run_file, running_stack
from samplemind_tasks.cli.startup import Startup
from samplemind_tasks.cli.watch import INTERRUPTED, read_job, sum_up, watch
from samplemind_tasks.errors import NotFound, SampleMindError
from samplemind_tasks.launch import LaunchFailed, Stack, StartCancelled, check_settings, stop_on_signals
from samplemind_tasks.schemas import Hit, Job, JobState, Sample, SampleState
from samplemind_tasks.settings import Settings

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

SHOWN_SAMPLES = 20
SHOWN_HITS = 5
COUNTED_SAMPLES = 1000
"""Beyond those that are shown; a large library is not walked to its end for a number."""
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@command(app)
def up(
    call: Call,
    root: Annotated[
        list[Path] | None,
        typer.Option("--root", metavar="PATH", parser=named_path, help="Jobs may only name paths below these folders."),
    ] = None,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Where to listen; 0.0.0.0: everywhere, with keys.")
    ] = "",
) -> int:
    """Start the embedded stack and stay until Ctrl-C."""
    settings = call.settings.model_copy(update={"host": host}) if host else call.settings
    if root:
        roots = tuple(_existing(path) for path in root)
        settings = settings.model_copy(update={"roots": roots})
    try:
        with embedded(call, settings) as stack:
            _show_addresses(call, settings.data_dir)
            if settings.asks_for_keys:
                _say_who_may_ask(call, settings)
            call.show(Text("Ctrl-C stops everything.", style="dim"))
            stack.wait()
    except StartCancelled:
        return INTERRUPTED
    return 0


@command(app)
def run(
    call: Call,
    library: Annotated[
        Path | None, typer.Option("--library", metavar="PATH", parser=named_path, help="Default: a demo library.")
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Stop when the library is analysed; 0 when all went well.")
    ] = False,
) -> int:
    """Start everything, analyse a library and show what was found."""
    given = _existing(library) if library else None
    if given:
        folder_job(given)  # a name that cannot be told to the gateway is said before anything starts
    check_settings(call.settings)
    folder = given or _demo_library(call)
    running = running_stack(call.settings.data_dir)
    if running is not None:
        call.tell(Text(f"using the stack that runs already (pid {running.pid})", style="dim"))
        code = _analyse(_at(call, running.url), folder)
        _show_addresses(call, call.settings.data_dir)
        return code
    code = INTERRUPTED
    try:
        with embedded(call, call.settings) as stack:
            code = _analyse(_at(call, stack.url), folder)
            if not once:
                _show_addresses(call, call.settings.data_dir)
                call.show("", Text("Everything stays up. Ctrl-C stops it.", style="dim"))
                stack.wait()
    except StartCancelled:
        return INTERRUPTED
    return code


def _say_who_may_ask(call: Call, settings: Settings) -> None:
    call.show(f"It listens on {settings.host}. Whoever asks needs a key: {program()} keys create")
    folders = ", ".join(map(str, settings.roots))
    call.tell(Text(f"A key of scope write may have anything below {folders} analysed, and hear it.", style="yellow"))


@contextmanager
def embedded(call: Call, settings: Settings) -> Iterator[Stack]:
    """The stack while the block runs. Ctrl-C, SIGTERM and a closed terminal end the block, then the stack."""
    stack = Stack(settings)
    stop_on_signals(stack)
    startup = Startup(call)
    try:
        with startup:
            stack.start(startup.on_event)
    except LaunchFailed as failure:
        call.tell(*(Text(f"  | {line}", style="dim") for line in failure.log_lines))
        raise
    try:
        for each in ENDING_SIGNALS:
            signal.signal(each, _interrupt)
        yield stack
    except KeyboardInterrupt:
        call.tell("")
    finally:
        stop_on_signals(stack)  # from here on a signal only asks for what is being done
        stack.stop()


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _at(call: Call, url: str) -> Call:
    return dataclasses.replace(call, settings=call.settings.model_copy(update={"url": url}))


def _existing(path: Path) -> Path:
    path = path.expanduser().absolute()
    if not path.exists():
        raise NotFound(f"there is no folder {path}", code="no_such_folder")
    return path


def _demo_library(call: Call) -> Path:
    """Sounds made here, with known tempo and key."""
    folder = call.settings.data_dir / "demo-library"
    call.tell(Text(f"demo library: {folder}", style="dim"))
    made = subprocess.run(
        [sys.executable, "-m", "samplemind_tasks.demo", str(folder)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise SampleMindError(f"the demo library cannot be made: {made.stderr.strip()[-500:]}")
    return folder


def _analyse(call: Call, folder: Path) -> int:
    """Add the folder, show what came of it, and say whether every sound has a result."""
    answer = call.gateway.add(folder_job(folder), key=uuid.uuid4().hex)
    call.tell(Text(f"job {answer['id']}  {folder}", style="dim"))
    job, answer = watch(call, read_job(answer), answer)
    call.answer(answer)
    if not call.as_json:
        sum_up(call, job)
        _show_library(call, folder)
    return 0 if all_accounted(job) else 1


def all_accounted(job: Job) -> bool:
    """Every place that was found is done, skipped, or failed with a code."""
    counts = job.counts
    has_codes = sum(job.failures.values()) == counts.failed
    return job.state is JobState.DONE and has_codes and counts.found == counts.done + counts.skipped + counts.failed


def _show_library(call: Call, folder: Path) -> None:
    """The folder's first samples, how many more there are, and what sounds like one of them."""
    answers = call.gateway.samples({"path": as_shown(folder)})
    samples = [Sample.model_validate(answer, extra="ignore") for answer in islice(answers, SHOWN_SAMPLES)]
    if not samples:
        return
    call.show("", show.sample_table(samples, ids=False, width=call.out.width), *show.footnote(samples))
    more = sum(1 for _ in islice(answers, COUNTED_SAMPLES))
    if more:
        at_least = "" if more < COUNTED_SAMPLES else "at least "
        how = f"{program()} list --path {shlex.quote(str(folder))} --limit 0"
        call.show(Text(f"and {at_least}{show.count(more)} more: {how}", style="dim"))
    known = next((sample for sample in samples if sample.state is SampleState.READY), None)
    if known is None:
        return
    hits = call.gateway.similar(known.id, SHOWN_HITS)["hits"]
    if not hits:  # a library of one sound, or one whose last sounds are just being taken up
        return
    call.show(
        "",
        Text.assemble(
            "sounds like ", (known.name, "bold"), (f"  {program()} similar {known.id[: show.SHORT_ID]}", "dim")
        ),
    )
    call.show(*found.hit_table([Hit.model_validate(hit, extra="ignore") for hit in hits], call.out.width))


def _show_addresses(call: Call, data_dir: Path) -> None:
    stack = running_stack(data_dir)
    if stack is None:
        return
    flower = stack.flower
    # a log is read by more people than the run file
    password = f"password {flower.password}" if call.out.is_terminal else f"its password is in {run_file(data_dir)}"
    told = {**flower.model_dump(exclude={"password"}), "password_in": str(run_file(data_dir))}
    call.answer({"url": stack.url, "flower": told, "logs": str(data_dir / "logs")})
    call.show(
        "",
        show.facts(
            [
                ("API", f"{stack.url}/docs"),
                ("Flower", flower.url),
                ("", f"user {flower.user}, {password}"),
                ("logs", str(data_dir / "logs")),
            ]
        ),
    )


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # everything is loaded: see quiet_start.py
    bear_any_name()
    app(prog_name="samplemind")
