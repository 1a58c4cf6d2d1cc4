"""Following a job to its end: a bar on a terminal, a line now and then in a log."""

import time
from collections.abc import Iterator
from itertools import islice

from rich.live import Live
from rich.text import Text

from samplemind_tasks.cli import progress
from samplemind_tasks.cli.call import Call, program
from samplemind_tasks.cli.transport import GatewayError, Json, Unreachable
from samplemind_tasks.news import Happening
from samplemind_tasks.schemas import TERMINAL_STATES, Failure, Job, JobState

POLL_S = 0.4
LINE_EVERY_S = 5.0
"""A log gets at most one line in this time, and none when nothing has changed."""
AWAY_LIMIT_S = 60.0
"""The gateway may be away this long (a restart) before watching gives up."""
INTERRUPTED = 130


def read_job(answer: Json) -> Job:
    """The job, also from a gateway that says more than this version knows."""
    return Job.model_validate(answer, extra="ignore")


def follow(call: Call, answer: Json) -> int:
    """Watch the job until it has ended, then sum it up. The exit code: 0 when the job is done."""
    job = read_job(answer)
    try:
        job, answer = watch(call, job, answer)
    except KeyboardInterrupt:
        call.err.print(
            f"\nNo longer watching; the job goes on.\n  look:    {program()} jobs {job.id}"
            f"\n  cancel:  {program()} cancel {job.id}"
        )
        return INTERRUPTED
    call.answer(answer)
    if not call.as_json:
        sum_up(call, job)
    return 0 if job.state is JobState.DONE else 1


def watch(call: Call, job: Job, answer: Json) -> tuple[Job, Json]:
    """Show each change until the job has ended; the last answer."""
    screen = _Screen(call)
    with screen:
        screen.show(job)
        news, away_since = _News(call, job.id), None
        while job.state not in TERMINAL_STATES:
            try:
                for note, changed in news.listen():
                    answer, job = (changed, read_job(changed)) if changed is not None else (answer, job)
                    screen.show(job, note=note)
                    away_since = None
            except (Unreachable, GatewayError) as error:
                if isinstance(error, GatewayError) and error.status < 500:
                    raise
                away_since = away_since or time.monotonic()
                if time.monotonic() - away_since > AWAY_LIMIT_S:
                    raise
                screen.show(job, note=f"{error.code}: {error.message}; asking again")
            if job.state not in TERMINAL_STATES:
                time.sleep(POLL_S)
    return job, answer


class _News:
    """What changes of a job: told by the gateway as it happens, or asked for where it tells nothing."""

    def __init__(self, call: Call, job_id: str) -> None:
        self._gateway = call.gateway
        self._job_id = job_id
        self._last: str | None = None
        self._etag: str | None = None
        self._tells = True

    def listen(self) -> Iterator[tuple[str, Json | None]]:
        """A note and the job, if it has changed; ends when the line is cut, or with every single question."""
        if self._tells:
            try:
                for name, last, told in self._gateway.job_events(self._job_id, self._last):
                    is_job = name in (Happening.JOB, Happening.DONE)
                    self._last = last or self._last
                    yield f"{told['store']} is away" if name == Happening.AWAY else "", told if is_job else None
                    if name == Happening.DONE:
                        return
            except GatewayError as error:
                if error.status >= 500 and error.code != "busy":
                    raise
                self._tells = False  # an older gateway, or one with as many streams open as it may
        changed, self._etag = self._gateway.poll(self._job_id, self._etag)
        yield "", changed


def sum_up(call: Call, job: Job) -> None:
    """What came of the job, and its failures by code with a few paths each."""
    call.show(progress.summary(job))
    if job.problem:
        call.show(Text(f"{job.problem.code}: {job.problem.message}", style="red"))
    if not job.failures:
        return
    examples = [(code, _examples(call, job, code)) for code in sorted(job.failures, key=lambda c: -job.failures[c])]
    call.show("", progress.failure_groups(job, examples), "")
    call.show(Text(f"all of them: {program()} failures {job.id} · again: {program()} retry {job.id}", style="dim"))


def _examples(call: Call, job: Job, code: str) -> list[Failure]:
    answers = islice(call.gateway.failures(job.id, code, limit=progress.EXAMPLES), progress.EXAMPLES)
    return [Failure.model_validate(answer, extra="ignore") for answer in answers]


class _Screen:
    """Where progress goes: stderr. A program that listens on stdout gets it too, but only on a terminal."""

    def __init__(self, call: Call) -> None:
        self._console = call.err
        self._silent = call.as_json and not call.err.is_terminal
        self._live = Live(console=call.err, transient=True, auto_refresh=False) if call.err.is_terminal else None
        self._last_line, self._last_at = "", float("-inf")

    def __enter__(self) -> None:
        if self._live:
            self._live.start()

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, job: Job, note: str = "") -> None:
        if self._live:
            self._live.update(progress.live_view(job, note, self._console.width), refresh=True)
        elif not self._silent:
            self._log(" · ".join(filter(None, [progress.plain_line(job), note])))

    def _log(self, line: str) -> None:
        if line == self._last_line or time.monotonic() - self._last_at < LINE_EVERY_S:
            return
        self._console.print(line, soft_wrap=True)
        self._last_line, self._last_at = line, time.monotonic()
