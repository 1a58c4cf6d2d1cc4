"""Commands about this machine: doctor asks every part how it is, down stops the stack."""

import os
import platform
import shutil
import signal
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import typer
from rich.text import Text

from samplemind_tasks.cli import show
from samplemind_tasks.cli.call import NEXT_STEPS, Call, command
from samplemind_tasks.cli.client import Gateway
from samplemind_tasks.cli.running import is_locked, run_file, running_stack
from samplemind_tasks.errors import SampleMindError
from samplemind_tasks.schemas import Part

app = typer.Typer()

FREE_BYTES = 2 << 30
"""Less than this on the disk of the data directory is worth a warning."""
STOP_LIMIT_S = 90.0
SHOWN_VERSIONS = ("samplemind", "celery", "redis", "pymongo", "chromadb", "librosa", "torch", "transformers")


@command(app)
def doctor(call: Call) -> int:
    """Ask every part how it is, and say what to do."""
    parts = [*_machine(call.settings.data_dir), *_gateway(call)]
    versions = {"python": platform.python_version(), **_versions()}
    is_well = all(part.ok for part in parts)
    call.answer({"ok": is_well, "parts": [part.model_dump() for part in parts], "versions": versions})
    call.show(show.facts([(part.name, _told(part)) for part in parts]), "")
    call.show(Text(" · ".join(f"{name} {version}" for name, version in versions.items()), style="dim"))
    sick = sum(not part.ok for part in parts)
    call.show(
        "", Text("All is well.", style="green") if is_well else Text(f"{sick} of {len(parts)} need care.", style="red")
    )
    return 0 if is_well else 1


@command(app)
def down(call: Call) -> None:
    """Stop the running stack and wait until it is gone."""
    data_dir = call.settings.data_dir
    stack = running_stack(data_dir)
    if stack is None:
        ended = _end_leftovers(data_dir)
        call.answer({"stopped": bool(ended), "pid": None})
        call.show(f"Ended {ended} processes of a stack that was killed." if ended else f"Nothing runs on {data_dir}.")
        return
    try:
        os.kill(stack.pid, signal.SIGTERM)
    except PermissionError as error:
        raise SampleMindError(f"the stack (pid {stack.pid}) belongs to another user", code="forbidden") from error
    call.tell(Text(f"stopping pid {stack.pid}", style="dim"))
    deadline = time.monotonic() + STOP_LIMIT_S
    while is_locked(data_dir):  # and not while the process is there: nobody may have collected it
        if time.monotonic() > deadline:
            raise SampleMindError(f"pid {stack.pid} still runs after {STOP_LIMIT_S:.0f} s", code="timeout")
        time.sleep(0.1)
    call.answer({"stopped": True, "pid": stack.pid})
    call.show("Stopped.")


def _end_leftovers(data_dir: Path) -> int:
    """End what a stack that was killed left running; how many it was."""
    if not run_file(data_dir).exists():
        return 0
    from samplemind_tasks.launch import DataFolder, leftovers  # only now: it loads the database drivers

    count, folder = len(leftovers(data_dir)), DataFolder(data_dir)
    folder.open()
    folder.close(finished=True)
    return count


def _machine(data_dir: Path) -> Iterator[Part]:
    """The data directory, its disk, and who uses it."""
    standing = next(folder for folder in (data_dir, *data_dir.parents) if folder.exists())
    writable = os.access(standing, os.W_OK | os.X_OK) and standing.is_dir()
    yield Part(
        name="data directory",
        ok=writable,
        message=str(data_dir) if standing == data_dir else f"{data_dir} (made at the first start)",
        advice=f"make {standing} writable, or set SAMPLEMIND_DATA_DIR",
    )
    free_bytes = shutil.disk_usage(standing).free
    yield Part(
        name="disk",
        ok=free_bytes >= FREE_BYTES,
        message=f"{show.size(free_bytes)} free",
        advice=f"free some space, at least {show.size(FREE_BYTES)}, or move SAMPLEMIND_DATA_DIR",
    )
    stack = running_stack(data_dir)
    if stack is not None:
        yield Part(name="stack", ok=True, message=f"runs as pid {stack.pid}", advice="")
    elif run_file(data_dir).exists():
        yield Part(
            name="stack",
            ok=False,
            message="has died; some of its processes may have outlived it",
            advice=f"`samplemind up` ends them and starts anew, `samplemind down` only ends them; its logs are in"
            f" {data_dir / 'logs'}",
        )


def _gateway(call: Call) -> Iterator[Part]:
    """The gateway, and what it says of every part behind it."""
    try:
        gateway: Gateway = call.gateway
        answer = gateway.ready()
    except SampleMindError as error:
        yield Part(
            name="gateway",
            ok=False,
            message=error.message,
            advice=NEXT_STEPS.get(error.code, "start it with `samplemind up`"),
        )
        return
    yield Part(name="gateway", ok=True, message=gateway.url, advice="")
    for part in answer["parts"]:
        yield Part.model_validate(part, extra="ignore")


def _told(part: Part) -> Text:
    mark = Text("✓ ", style="green") if part.ok else Text("✗ ", style="bold red")
    told = mark.append(part.message, style="" if part.ok else "red")
    if part.advice and not part.ok:
        told.append(f"\n  {part.advice}", style="yellow")
    return told


def _versions() -> dict[str, str]:
    found = {}
    for name in SHOWN_VERSIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
