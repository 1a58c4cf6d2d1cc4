"""Reading a few bytes here and there of a file that may lie, with an end to how much."""

import io
from typing import BinaryIO

_READ_BYTES = 1 << 20
_READS = 2_000
"""A file made of a million tiny parts is left after this many."""


class Peek:
    """A file read at places, never past a budget: what lies beyond the file or the budget is empty.

    Parameters
    ----------
    file : open, seekable

    Attributes
    ----------
    size : bytes in the file
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._bytes_left = _READ_BYTES
        self._reads_left = _READS
        self.size = file.seek(0, io.SEEK_END)

    def at(self, position: int, count: int) -> bytes:
        """Up to `count` bytes from `position`; fewer at the end of the file, none once the budget is spent."""
        if not 0 <= position < self.size or self._reads_left <= 0:
            return b""
        count = min(count, self._bytes_left)
        self._file.seek(position)
        found = self._file.read(count)
        self._reads_left -= 1
        self._bytes_left -= len(found)
        return found
