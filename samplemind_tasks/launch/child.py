"""One child process, in a group of its own, writing to a log of its own; and the guardian that outlives us."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import psutil

from samplemind_tasks.launch import guardian

LOG_LIMIT_BYTES = 10 << 20
TAIL_LINES = 15
PRIVATE = 0o077
"""The mask of what children make: nobody but their owner reads it, wherever the data folder is copied."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Child:
    """A running program. Its group is killed as one; its last log lines are those of this run."""

    def __init__(self, name: str, argv: Sequence[str], env: Mapping[str, str], log_path: Path) -> None:
        self.name = name
        self.log_path = log_path
        self.started_at = time.time()
        rotate(log_path)
        log_path.parent.mkdir(0o700, exist_ok=True)  # somebody may have cleared it away while we ran
        with _for_its_owner(log_path, os.O_APPEND) as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                argv,
                env=dict(env),
                cwd=log_path.parent.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C on the terminal is ours alone
                umask=PRIVATE,
            )
        self.pid = self._process.pid
        self.ended = threading.Event()
        self.is_mute = False
        """It never answered and was killed for that."""

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    @property
    def lived_s(self) -> float:
        """Seconds since its start."""
        return time.time() - self.started_at

    def listens_on(self, port: int) -> bool:
        """Whether it is this process, or one of its own, that others reach on a loopback port."""
        try:
            leader = psutil.Process(self.pid)
            family = [leader, *leader.children(recursive=True)]
            return any(_listens(process, port) for process in family)
        except psutil.Error:
            return False

    def wait(self) -> int:
        """Wait for the end, then end what it left behind in its group."""
        code = self._process.wait()
        self.kill()
        self.ended.set()
        return code

    def terminate(self) -> None:
        """Ask the leader to end; a pool ends its own children."""
        if self.exit_code is None:
            self._process.terminate()

    def kill(self) -> None:
        """End the whole group at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def last_lines(self) -> tuple[str, ...]:
        """The last lines it wrote in this run, without colours; none where somebody cleared its log away."""
        if not self.log_path.exists():
            return ()
        with self.log_path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start if self._log_start <= size else 0, size - (16 << 10)))
            text = _COLOURS.sub("", log.read().decode(errors="replace"))
        return tuple(line.rstrip() for line in text.splitlines() if line.strip())[-TAIL_LINES:]


def _listens(process: psutil.Process, port: int) -> bool:
    sockets = process.net_connections(kind="tcp")
    return any(row.status == psutil.CONN_LISTEN and row.laddr.port == port for row in sockets)


def _for_its_owner(path: Path, flags: int) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o600), "ab")


def rotate(log_path: Path) -> None:
    """Set a long log aside. Children append, so that cutting the file under them is safe."""
    if not log_path.exists() or log_path.stat().st_size < LOG_LIMIT_BYTES:
        return
    with _for_its_owner(log_path.with_suffix(".log.1"), os.O_TRUNC) as kept:
        kept.write(log_path.read_bytes())
    os.truncate(log_path, 0)


class Guardian:
    """Our end of the guardian's pipe."""

    def __init__(self, token: str, lock_fd: int, groups: Iterable[int] = ()) -> None:
        self._said = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(guardian.__file__)), token],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            pass_fds=(lock_fd,),
            start_new_session=True,
        )
        self.pid = self._process.pid
        for group in groups:
            self.watch(group)

    @property
    def is_alive(self) -> bool:
        """Someone may have killed it; then it is replaced."""
        return self._process.poll() is None

    def watch(self, group: int) -> None:
        """This group dies with us."""
        self._say(f"watch {group}\n")

    def forget(self, group: int) -> None:
        """This group is gone; its number may be given to someone else."""
        self._say(f"forget {group}\n")

    def dismiss(self) -> None:
        """Let it look once more for who is left, and wait for its end."""
        assert self._process.stdin is not None  # noqa: S101 - made with a pipe above
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 - made with a pipe above
        with self._said, contextlib.suppress(BrokenPipeError):  # dead: the next one is told everything
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
