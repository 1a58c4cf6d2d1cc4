"""The folders this server may read, and opening what lies below them, whatever links lead there."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from samplemind_tasks.audio.files import open_regular
from samplemind_tasks.errors import AudioError, FailureCode

PSEUDO_FOLDERS = tuple(map(Path, ("/proc", "/sys", "/dev")))
"""What the system shows of itself there is nobody's library, and some of it has no end."""
MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - files, though they lie below /dev


class Roots:
    """The allowed folders. What is asked about a path is asked of where it leads, after all links."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folder.absolute().resolve() for folder in folders)  # a link is where it leads now

    def around(self, resolved: Path) -> Path | None:
        """The innermost allowed folder that a resolved path lies in."""
        if _is_pseudo(resolved):
            return None
        around = [folder for folder in self._folders if resolved.is_relative_to(folder)]
        return max(around, key=lambda folder: len(folder.parts), default=None)

    def hold(self, path: bytes) -> bool:
        """Whether a path leads to somewhere below an allowed folder."""
        return self.around(Path(os.fsdecode(os.path.realpath(path)))) is not None

    def open(self, path: bytes) -> BinaryIO:
        """Open a regular file, and ask of the open file where it lies: no link can be changed after that.

        Raises
        ------
        AudioError
            As `open_regular`; UNREADABLE where the path leads outside the allowed folders.
        """
        file = open_regular(path)
        if self.around(Path(os.fsdecode(_lies_at(file, path)))) is None:
            file.close()
            raise AudioError(FailureCode.UNREADABLE, "A link leads outside the folders this server may read.")
        return file


def _is_pseudo(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in PSEUDO_FOLDERS) and not path.is_relative_to(MEMORY_DISK)


def _lies_at(file: BinaryIO, path: bytes) -> bytes:
    try:
        return os.readlink(f"/proc/self/fd/{file.fileno()}".encode())  # noqa: PTH115 - bytes
    except OSError:  # no Linux
        return os.path.realpath(path)
