"""Opening a file safely: regular files only, once, and without ever waiting."""

import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

from samplemind_tasks.errors import AudioError, FailureCode

_HASH_BLOCK_BYTES = 1 << 20


def open_regular(path: bytes | str | Path) -> BinaryIO:
    """Open a regular file for reading, once and without ever waiting.

    Parameters
    ----------
    path : bytes for names that are not UTF-8

    Raises
    ------
    AudioError
        NOT_REGULAR for a pipe, socket, device or folder; VANISHED where nothing has that name (any more); UNREADABLE
        for a broken or circular link, missing permission or a failing disk.
    """
    try:
        # O_NONBLOCK: opening a pipe must not wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _open_error(path, error) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise AudioError(FailureCode.NOT_REGULAR, "This is a folder, pipe, socket or device, not a file.")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _open_error(path: bytes | str | Path, error: OSError | ValueError) -> AudioError:
    """What a failed open means to the person whose file it is."""
    if not isinstance(error, OSError):
        return AudioError(FailureCode.UNREADABLE, "The file cannot be opened: its name is not possible.")
    if error.errno == errno.ENXIO:
        return AudioError(FailureCode.NOT_REGULAR, "This is a socket or device, not a file.")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        if Path(os.fsdecode(path)).is_symlink():
            return AudioError(FailureCode.UNREADABLE, "The file is a link to something that is not there.")
        return AudioError(FailureCode.VANISHED, "The file is not there any more.")
    reason = os.strerror(error.errno) if error.errno else "unknown reason"
    return AudioError(FailureCode.UNREADABLE, f"The file cannot be opened: {reason}.")


def content_hash(file: BinaryIO) -> str:
    """sha256 of the whole file in hexadecimal; reads a megabyte at a time and leaves the file at its start.

    Raises
    ------
    AudioError
        UNREADABLE when the disk fails.
    """
    digest = hashlib.sha256()
    try:
        file.seek(0)
        while block := file.read(_HASH_BLOCK_BYTES):
            digest.update(block)
        file.seek(0)
    except OSError as error:
        raise AudioError(FailureCode.UNREADABLE, f"The file cannot be read: {error.strerror}.") from error
    return digest.hexdigest()


def size_bytes(file: BinaryIO) -> int:
    """Size of an open file, which is left at its start.

    Raises
    ------
    AudioError
        UNREADABLE when the disk fails.
    """
    try:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
    except OSError as error:
        raise AudioError(FailureCode.UNREADABLE, f"The file cannot be read: {error.strerror}.") from error
    return size
