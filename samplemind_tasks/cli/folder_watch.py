"""Keeping the library up to date with a folder: watch.

What changes is gathered until nothing has changed for a moment, and then the folder around it is added as one job: the
scan skips what is known, marks what is gone, and waits itself for files that still grow.
"""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.text import Text
from watchfiles import Change, watch
from watchfiles._rust_notify import WatchfilesRustInternalError

from samplemind_tasks.cli import progress
from samplemind_tasks.cli.call import Call, NotRunning, command, named_path
from samplemind_tasks.cli.client import as_shown, folder_job
from samplemind_tasks.cli.transport import GatewayError, Unreachable
from samplemind_tasks.cli.watch import read_job
from samplemind_tasks.errors import NotFound
from samplemind_tasks.schemas import TERMINAL_STATES
from samplemind_tasks.walk import SUPPORTED, UNSUPPORTED

app = typer.Typer()

LOOK_MS = 500
"""How often what was seen is gathered, and the jobs are asked after."""
LONGEST_WAIT_S = 60.0
"""While files keep changing, what has changed is added after this long all the same."""
PAUSES_S = (2.0, 5.0, 10.0, 30.0)
"""Between attempts while the gateway is away; then the last one again and again."""
POLL_EVERY_S = 10.0
"""Between two looks at a folder whose disk does not tell what changes."""
SILENT_DISKS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "virtiofs", "vboxsf"}
)
"""File systems whose other users' changes this machine is not told of; what `fuse.` names is taken for one too."""


@command(app, "watch")
def watch_folder(
    call: Call,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", parser=named_path, help="A folder here and where the gateway runs.")
    ],
    quiet_s: Annotated[
        float,
        typer.Option("--quiet", metavar="SECONDS", min=0.1, max=600, help="Add when nothing changed for so long."),
    ] = 2.0,
    poll: Annotated[
        bool | None, typer.Option("--poll/--no-poll", help="Look regularly. Default: where the disk tells no changes.")
    ] = None,
    every_s: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=0.2, max=86_400, help="How often --poll looks.")
    ] = POLL_EVERY_S,
    include: Annotated[list[str] | None, typer.Option("--include", metavar="GLOB", help="Only what matches.")] = None,
    exclude: Annotated[list[str] | None, typer.Option("--exclude", metavar="GLOB", help="Not what matches.")] = None,
) -> int:
    """Add a folder, and from then on whatever changes in it, until Ctrl-C."""
    top = folder.expanduser().absolute()
    if not top.is_dir():
        raise NotFound(f"there is no folder {as_shown(top)}", code="path_not_found")
    polls = tells_no_changes(top) if poll is None else poll
    keeper = Keeper(call, top, quiet_s, {"include": include or [], "exclude": exclude or []})
    call.tell(Text(f"watching {as_shown(top)}{f' every {every_s:g} s' if polls else ''}; Ctrl-C ends it", style="dim"))
    try:
        is_there = True
        for changed in changes(top, every_s if polls else None):
            if is_there is not top.is_dir():
                is_there = not is_there
                call.tell(
                    Text(f"{as_shown(top)} {'is back' if is_there else 'went away; waiting for it'}", style="yellow")
                )
            keeper.look(changed)
    except KeyboardInterrupt:
        call.tell(Text("\nno longer watching; jobs go on", style="dim"))
    return 0


def changes(top: Path, every_s: float | None) -> Iterator[set[Path]]:
    """Audio that appears, changes or goes, and folders; nothing where nothing did. Polls where a time is given."""
    while True:
        with suppress(WatchfilesRustInternalError):  # a name that is not UTF-8: the folder is looked through as a whole
            for seen in watch(
                top, watch_filter=_is_of_interest, debounce=LOOK_MS, step=50, rust_timeout=LOOK_MS,
                yield_on_timeout=True, force_polling=every_s is not None, poll_delay_ms=round(1000 * (every_s or 1)),
                ignore_permission_denied=True,
            ):  # fmt: skip
                yield {Path(path) for _, path in seen}
                if not top.is_dir():
                    break
        yield {top}  # its disk went away; what lives there is then shown as offline
        while not top.is_dir():
            time.sleep(LOOK_MS / 1000)
            yield set()
        yield {top}


def _is_of_interest(change: Change, path: str) -> bool:
    """Audio, a folder that came with what is in it, and whatever went, since it may have been a folder."""
    name = os.path.basename(path)  # noqa: PTH119
    ending = os.path.splitext(name)[1].lower()  # noqa: PTH122
    is_audio = ending in SUPPORTED or ending in UNSUPPORTED
    is_new_folder = change is Change.added and os.path.isdir(path)  # noqa: PTH112
    return not name.startswith(".") and (is_audio or is_new_folder or change is Change.deleted)


def tells_no_changes(folder: Path) -> bool:
    """Whether a folder lies on a disk that others may change unheard."""
    with suppress(OSError):
        mounts = [line.split(" ") for line in Path("/proc/self/mounts").read_text(errors="replace").splitlines()]
        around = [(point, kind) for _, point, kind, *_ in mounts if folder.is_relative_to(point.replace("\\040", " "))]
        _, kind = max(around, key=lambda row: len(row[0]), default=("", ""))
        return kind in SILENT_DISKS or kind.startswith("fuse.")
    return False


def common_folder(paths: set[Path], top: Path) -> Path:
    """The innermost folder around all of them that is still there."""
    folder = Path(os.path.commonpath(paths))
    while folder != top and not folder.is_dir():
        folder = folder.parent
    return folder if folder.is_relative_to(top) else top


class Keeper:
    """Adds what changed, when it has settled; asks again while the gateway is away; follows the jobs it began."""

    def __init__(self, call: Call, top: Path, quiet_s: float, wishes: dict[str, list[str]]) -> None:
        self._call, self._top, self._quiet_s, self._wishes = call, top, quiet_s, wishes
        self._changed = {top}  # what changed while nobody watched
        self._first_at, self._last_at = time.monotonic(), float("-inf")
        self._key = ""
        self._jobs: dict[str, str | None] = {}
        """Those that have not ended, with the ETag of each."""
        self._has_added = False
        self._failures, self._next_at = 0, 0.0

    def look(self, changed: set[Path]) -> None:
        """Take in what was seen, and do what is due."""
        now = time.monotonic()
        if changed:
            self._first_at = self._first_at if self._changed else now
            self._changed |= changed
            self._last_at, self._key = now, ""
        has_settled = now - self._last_at >= self._quiet_s or now - self._first_at >= LONGEST_WAIT_S
        if self._changed and has_settled and now >= self._next_at:
            self._ask(self._add)
        if self._jobs and now >= self._next_at:
            self._ask(self._follow)

    def _ask(self, what: Callable[[], None]) -> None:
        """Ask the gateway, and again later where it is away or full."""
        try:
            what()
        except (Unreachable, NotRunning, GatewayError) as error:
            if isinstance(error, GatewayError) and error.status < 500 and error.status != httpx.codes.TOO_MANY_REQUESTS:
                raise
            if not self._failures:
                self._call.tell(Text(f"{error.code}: {error.message}; asking again until it answers", style="yellow"))
            self._next_at = time.monotonic() + PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
            self._failures += 1
            self._call.__dict__.pop("gateway", None)  # a stack that is started again has another address
        else:
            if self._failures:
                self._call.tell(Text("the gateway answers again", style="green"))
            self._failures, self._next_at = 0, 0.0

    def _add(self) -> None:
        folder = common_folder(self._changed, self._top)
        self._key = self._key or uuid.uuid4().hex  # asked again with nothing new, it is the same job
        try:
            answer = self._call.gateway.add(folder_job(folder, **self._wishes), self._key)
        except GatewayError as error:
            if error.code != "path_not_found" or not self._has_added:
                raise
        else:
            self._has_added = True
            self._jobs[str(answer["id"])] = None
            self._call.tell(Text(f"job {answer['id']}  {as_shown(folder)}", style="dim"))
        self._changed.clear()

    def _follow(self) -> None:
        for job_id, etag in list(self._jobs.items()):
            answer, self._jobs[job_id] = self._call.gateway.poll(job_id, etag)
            if answer is not None and (job := read_job(answer)).state in TERMINAL_STATES:
                del self._jobs[job_id]
                self._call.answer(answer)
                self._call.show(progress.summary(job))
