"""The data folder: who may use it, the passwords of its servers, and the file that says what runs."""

import fcntl
import json
import os
import secrets
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from samplemind_tasks.errors import Conflict, SampleMindError
from samplemind_tasks.launch.child import Child
from samplemind_tasks.launch.site import FLOWER_USER, Site

PASSWORDS = ("redis", "cache", "mongodb", "chroma", "flower")
LOCK_WAIT_SECONDS = 10.0


class AlreadyRunning(Conflict):
    """Another stack uses this data folder."""

    code = "already_running"


class UnusableFolder(SampleMindError):
    """The data folder cannot be made or written to."""

    code = "unusable_folder"


class DataFolder:
    """A folder that belongs to one stack at a time and to one user only."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.lock_fd = -1

    def open(self) -> None:
        """Make the folder ours.

        Raises
        ------
        AlreadyRunning : another stack has it.
        UnusableFolder : it cannot be made or written to.
        """
        self.make()
        self.lock_fd = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._take_lock()
        except AlreadyRunning:
            self.close()
            raise
        self._end_leftovers()

    def make(self) -> None:
        """Let it be there, for its owner alone."""
        try:
            for folder in (self.path, self.path / "logs"):
                folder.mkdir(0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
            (self.path / "lock").touch(0o600)
        except OSError as error:
            raise UnusableFolder(f"the data folder {self.path} cannot be used: {error.strerror}") from error

    def _take_lock(self) -> None:
        """Of a parent that was killed, the guardian holds the lock until its children are gone: wait for that."""
        deadline = time.monotonic() + LOCK_WAIT_SECONDS
        while True:
            try:
                fcntl.flock(self.lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                running = read_run_file(self.path)
                pid = running.get("pid")
                if time.monotonic() > deadline or (pid and psutil.pid_exists(pid)):
                    where = ", ".join(str(part) for part in (pid and f"pid {pid}", running.get("url")) if part)
                    raise AlreadyRunning(f"already running ({where or self.path})", detail=running) from None
                time.sleep(0.05)
            else:
                return

    def _end_leftovers(self) -> None:
        """End the children of a stack that was killed together with its guardian."""
        for leader in leftovers(self.path):
            with suppress(psutil.Error, ProcessLookupError, PermissionError):
                os.killpg(leader.pid, signal.SIGKILL)
                leader.wait(5)
        self.run_file.unlink(missing_ok=True)

    @property
    def run_file(self) -> Path:
        """Says what runs; there only while something does."""
        return self.path / "run.json"

    def log(self, service: str) -> Path:
        """Where a service's output goes."""
        return self.path / "logs" / f"{service}.log"

    def passwords(self) -> dict[str, str]:
        """The servers' passwords, made at the first start: without them any user of the machine could reach in."""
        file = self.path / "passwords.json"
        known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        if any(name not in known for name in PASSWORDS):
            known = {name: known.get(name) or secrets.token_urlsafe(24) for name in PASSWORDS}
            write_private(file, json.dumps(known))
        return known

    def close(self, *, finished: bool = False) -> None:
        """Give the folder back; finished: nothing runs any more."""
        if finished:
            self.run_file.unlink(missing_ok=True)
        if self.lock_fd >= 0:
            os.close(self.lock_fd)
            self.lock_fd = -1


def read_run_file(data_dir: Path) -> dict[str, Any]:
    """What the run file says; empty when nothing runs."""
    try:
        running: dict[str, Any] = json.loads((data_dir / "run.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return running


def leftovers(data_dir: Path) -> list[psutil.Process]:
    """The services that the run file names and that live, whoever looks after them."""
    running = read_run_file(data_dir)
    found = []
    for service in running.get("services", {}).values():
        with suppress(psutil.Error, KeyError, TypeError, ValueError):
            leader = psutil.Process(service["pid"])
            if leader.environ().get("SAMPLEMIND_STACK") == running["token"]:  # its number was not given away
                found.append(leader)
    return found


def write_run_file(folder: DataFolder, site: Site, token: str, children: Iterable[Child]) -> None:
    """Say what runs, for a second start, for the command line and for people."""
    settings = site.settings
    addresses = {"gateway": settings.url, "flower": site.flower_url}
    told = {name: url if name in site.answering else "" for name, url in addresses.items()}
    running = {
        "pid": os.getpid(),
        "token": token,
        "url": told["gateway"],
        "flower": {"url": told["flower"], "user": FLOWER_USER, "password": site.passwords["flower"]},
        "urls": {name: getattr(settings, f"{name}_url") for name in ("redis", "cache", "mongo", "chroma")},
        "services": {child.name: {"pid": child.pid, "log": str(child.log_path)} for child in children},
    }
    write_private(folder.run_file, json.dumps(running, indent=2))


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(text)
    fresh.replace(file)
