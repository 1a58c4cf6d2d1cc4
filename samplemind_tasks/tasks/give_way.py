"""Bulk work gives way to what a person waits for: the CPU and AI workers are polite processes."""

import os
from pathlib import Path

_AUTOGROUP = Path("/proc/self/autogroup")
"""Where Linux groups processes by session, a nice value counts within the group only; the group has its own."""


def give_way(nice: int) -> None:
    """Lower the priority of this process and of the children it will have, by up to 19; 0 leaves it."""
    if nice <= 0:
        return
    os.nice(nice)
    try:
        _AUTOGROUP.write_text(str(min(nice, 19)), encoding="ascii")
    except OSError:
        return  # not Linux, or a kernel without groups
