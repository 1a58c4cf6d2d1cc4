"""A network and mounts of the campaign's own, which may be cut and filled without hurting anybody.

Linux, root, and the programs unshare, ip and mount are needed. Without them the campaign leaves those faults out.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_INSIDE = "CHAOS_ISLAND"
BLOB_BYTES = 256 << 20
"""Enough for the windows of all chunks in flight."""


def enter() -> None:
    """Start this program again on an island, if one can be had."""
    if is_here() or not _can_be_had():
        return
    os.environ[_INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, "-m", "benchmarks.chaos", *sys.argv[1:]])  # noqa: S606, S607


def is_here() -> bool:
    """Whether this process lives on one. Asked before anything is cut."""
    return _INSIDE in os.environ


@contextmanager
def settled(blobs: Path) -> Iterator[None]:
    """Open the island's loopback, and put the blob store on a small disk of its own, which is given back at the end."""
    cut_network(is_cut=False)
    blobs.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={BLOB_BYTES}", "tmpfs", str(blobs))
    try:
        yield
    finally:
        _run("umount", str(blobs))


def cut_network(*, is_cut: bool) -> None:
    """No process of the island reaches another, or every one does again."""
    assert is_here()
    _run("ip", "link", "set", "lo", "down" if is_cut else "up")


def _can_be_had() -> bool:
    if os.getuid() != 0 or not all(map(shutil.which, ("unshare", "ip", "mount"))):
        return False
    try:
        _run("unshare", "--net", "--mount", "ip", "link", "set", "lo", "up")
    except subprocess.CalledProcessError:
        return False
    return True


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
