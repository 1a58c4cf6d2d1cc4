"""Ends the children when the parent cannot: killed with -9, out of memory, crashed.

Runs as a script of its own (`python -I -S guardian.py TOKEN`), with the standard library only, so that it is there
within milliseconds. Its standard input is a pipe whose other end only the parent holds: it closes when the parent dies,
in whatever way. Lines on it: `watch <process group>` and `forget <process group>`. It inherits the lock of the data
folder, so that no second stack starts before the children of the first are gone.
"""

import os
import signal
import sys
import time
from pathlib import Path

POLITE_SECONDS = 2.0


def main(token: str) -> None:
    """Listen until the pipe closes, then end every group, and whoever else carries the stack's token."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        word, number = line.split()
        (groups.add if word == "watch" else groups.discard)(int(number))
    for group in groups:
        _send(group, signal.SIGTERM, to_group=False)  # the leader alone: a pool ends its own children
    deadline = time.monotonic() + POLITE_SECONDS
    while time.monotonic() < deadline and any(_is_alive(group) for group in groups):
        time.sleep(0.05)
    for group in groups:
        _send(group, signal.SIGKILL, to_group=True)
    for pid in carriers(token):
        _send(pid, signal.SIGKILL, to_group=False)


def carriers(token: str) -> list[int]:
    """Processes of ours whose environment holds the token: a child started in the instant before the parent died."""
    if not Path("/proc/self").is_dir():
        return []
    mark = f"SAMPLEMIND_STACK={token}".encode()
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            if mark in Path(f"/proc/{name}/environ").read_bytes().split(b"\0"):
                found.append(int(name))
        except OSError:
            continue  # gone, or someone else's
    return found


def _send(number: int, sent: signal.Signals, *, to_group: bool) -> None:
    try:
        (os.killpg if to_group else os.kill)(number, sent)
    except (ProcessLookupError, PermissionError):
        return


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main(sys.argv[1])
