"""Which stack runs on a data directory: what run.json says, if the process it names still lives.

Read here and not through `launch`, which loads the database drivers to ask its servers whether they are ready.
"""

import fcntl
import os
from pathlib import Path

from pydantic import BaseModel, ValidationError


class Flower(BaseModel):
    """Where operators look, and how they get in."""

    url: str = ""
    user: str = ""
    password: str = ""


class RunningStack(BaseModel):
    """What the launcher wrote about itself; what else it says is not ours."""

    pid: int
    url: str = ""
    flower: Flower = Flower()


def run_file(data_dir: Path) -> Path:
    return data_dir / "run.json"


def running_stack(data_dir: Path) -> RunningStack | None:
    """The stack that runs, or nothing."""
    try:
        stack = RunningStack.model_validate_json(run_file(data_dir).read_bytes())
    except (OSError, ValidationError):
        return None
    return stack if _is_alive(stack.pid) and is_locked(data_dir) else None


def _is_alive(pid: int) -> bool:
    """Whether a process with this number is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # someone else's
    return True


def is_locked(data_dir: Path) -> bool:
    """Whether a launcher holds the directory: after a kill the run file's number may be another process's by now.

    To ask is to take the lock for an instant; a launcher that starts in that instant tries again.
    """
    try:
        lock_fd = os.open(data_dir / "lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock_fd)
    return False
