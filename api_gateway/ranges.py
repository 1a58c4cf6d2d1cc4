"""HTTP ranges: which bytes of a resource a request asks for."""

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class ByteRange:
    """Bytes start..end-1."""

    start: int
    end: int


class Unsatisfiable(Exception):
    """The range lies beyond the end."""


def parse_range(header: str | None, size_bytes: int) -> ByteRange | None:
    """The one range a header asks for; None for the whole, also where the header makes no sense or names several.

    Raises
    ------
    Unsatisfiable
    """
    match = _ONE_RANGE.fullmatch(header.strip()) if header else None
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size_bytes - int(last)), size_bytes
    else:
        start, end = int(first), min(int(last) + 1, size_bytes) if last else size_bytes
        if last and int(last) < start:
            return None
    if start >= end:
        raise Unsatisfiable
    return ByteRange(start, end)
