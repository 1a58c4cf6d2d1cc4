"""Looking at the server's disk for a request: allowed roots, what a path is, opening a sound.

Always with a time-out: a network disk that went away hangs whoever looks at it.
"""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from samplemind_tasks.errors import AudioError, BadRequest, Forbidden, NotFound, SampleMindError, StoreUnavailable
from samplemind_tasks.roots import Roots
from samplemind_tasks.settings import Settings

PIECE_BYTES = 256 << 10

T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """A path a job may read, with symbolic links resolved."""

    root: Path
    path: Path
    is_there: bool = True


class Disk:
    """The server's disk, below the allowed roots."""

    def __init__(self, settings: Settings) -> None:
        self._roots = Roots(settings.roots)
        self._timeout_s = settings.request_timeout_s
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="disk")

    async def target(self, text: str) -> Target:
        """Where a job's path leads, also where nothing is there now.

        Raises
        ------
        NotFound, Forbidden, BadRequest : with the field at fault.
        """
        return await self._within_time(lambda: _target(text, self._roots))

    async def resolved(self, text: str, field: str = "path") -> Path:
        """An absolute path with its symbolic links resolved, whether it exists or not.

        Raises
        ------
        BadRequest : with the field at fault.
        """
        return await self._within_time(lambda: _resolved(text, field))

    async def is_file(self, path: Path) -> bool:
        """Whether it is there and a file; False also where it cannot be reached."""
        return await self._within_time(lambda: os.path.isfile(path))  # noqa: PTH113 - pathlib's raises

    async def is_folder(self, path: Path) -> bool:
        """Whether it is there and a folder; False also where it cannot be reached."""
        return await self._within_time(lambda: os.path.isdir(path))  # noqa: PTH112

    async def open(self, location: bytes, size_bytes: int) -> BinaryIO | None:
        """A regular file of this size below an allowed root; None when it is not that, or not there."""
        return await self._within_time(lambda: _open_sound(location, size_bytes, self._roots))

    async def pieces(self, file: BinaryIO, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes start..end-1 of a file, which is closed afterwards."""
        with file:
            for first in range(start, end, PIECE_BYTES):
                piece = await self._within_time(partial(_read, file, first, min(PIECE_BYTES, end - first)))
                if not piece:
                    return  # it was cut short meanwhile: the client sees fewer bytes than promised
                yield piece

    async def _within_time(self, look: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.get_running_loop().run_in_executor(self._threads, look)
        except TimeoutError as error:
            raise StoreUnavailable("disk", f"did not answer for {self._timeout_s:g} s") from error

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _read(file: BinaryIO, start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count)


def _absolute(text: str, field: str = "path") -> Path:
    if not text.startswith("/"):  # else it would be taken as one of the gateway's own folder
        raise at_path(BadRequest, "invalid", "the path must be absolute: begin it with a slash", field)
    if "\0" in text:
        raise at_path(BadRequest, "invalid", "no path has a NUL byte in it", field)
    return Path(text)


def _resolved(text: str, field: str) -> Path:
    return Path(os.path.realpath(_absolute(text, field)))  # a loop of links stays as it is, where pathlib's raises


def _target(text: str, roots: Roots) -> Target:
    try:
        path = _absolute(text).resolve()
        str(path).encode()
        root = roots.around(path)
        if root is None:
            raise at_path(Forbidden, "outside_roots", f"{text} lies or leads outside the folders this server may read")
        if not path.exists():
            return Target(root, path, is_there=False)
        mode = path.stat().st_mode
    except ValueError as error:  # bytes that are no text
        raise at_path(BadRequest, "invalid", "the path is not valid text; name the folder above it") from error
    except (OSError, RuntimeError) as error:  # no permission on the way, a loop of links, a name that is too long
        raise at_path(NotFound, "path_not_found", f"{text} cannot be reached: {error}") from error
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise at_path(BadRequest, "invalid", f"{text} is neither a folder nor a file")
    if not os.access(path, os.R_OK | (os.X_OK if stat.S_ISDIR(mode) else 0)):
        raise at_path(Forbidden, "path_unreadable", f"this server may not read {text}")
    return Target(root, path)


def at_path(kind: type[SampleMindError], code: str, message: str, field: str = "path") -> SampleMindError:
    return kind(message, code=code, detail={"fields": [{"field": field, "message": message}]})


def _open_sound(location: bytes, size_bytes: int, roots: Roots) -> BinaryIO | None:
    try:
        file = roots.open(location)
    except AudioError:
        return None
    if os.fstat(file.fileno()).st_size != size_bytes:
        file.close()
        return None
    return file
