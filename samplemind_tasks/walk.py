"""Walking a folder in a fixed order, so that a walk can stop after any file and go on there.

The order is that of the bytes of the whole path, which is also the order of the places index: a slice of the walk and a
closed range of the index cover the same stretch of the folder. Sorting a directory by its names with "/" added to those
of folders gives that order.
"""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

SUPPORTED = frozenset(
    {".wav", ".wave", ".aif", ".aiff", ".aifc", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac"}
)
"""Extensions of what is decoded."""
UNSUPPORTED = frozenset({
    ".3gp", ".8svx", ".aa3", ".ac3", ".amr", ".ape", ".au", ".caf", ".dff", ".dsf", ".dts", ".gsm", ".iff", ".m4b",
    ".m4p", ".mid", ".midi", ".mka", ".mp2", ".mpc", ".nki", ".ra", ".rcy", ".rex", ".rf64", ".rx2", ".sd2", ".sf2",
    ".sfz", ".shn", ".snd", ".spx", ".tak", ".tta", ".voc", ".w64", ".wma", ".wv",
})  # fmt: skip
"""Extensions of audio that is not decoded: listed with a code, so that nobody wonders where it went."""
_PSEUDO_FOLDERS = frozenset({b"/proc", b"/sys", b"/dev"})


class Sight(StrEnum):
    """What stands at a path."""

    AUDIO = "audio"
    UNSUPPORTED = "unsupported"
    NOT_REGULAR = "not_regular"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Entry:
    """One path the walk came by."""

    key: str
    """The path below the root, one Latin-1 character a byte."""
    sight: Sight
    size_bytes: int = 0
    mtime_ns: int = 0
    reason: str = ""


def is_decoded(key: str) -> bool:
    """Whether a name's extension is none of those we do not decode."""
    return os.path.splitext(key)[1].lower() not in UNSUPPORTED  # noqa: PTH122 - a key is no path of this system


def walk(root: bytes, folder_key: str, after: str, may_follow: Callable[[bytes], bool]) -> Iterator[Entry]:
    """Audio below a folder (or the one file named), in key order, starting behind `after`.

    Parameters
    ----------
    root : absolute path the keys are relative to
    folder_key : key of the folder or file to walk; "" is the root itself
    after : the last key already seen, or ""
    may_follow : decides by resolved path whether a symbolic link may be followed

    Folders behind links are entered unless they lead back to a folder they lie in. Names beginning with "._" and
    folders beginning with "." are the file manager's own and passed over.
    """
    top = os.path.join(root, folder_key.encode("latin-1")) if folder_key else root  # noqa: PTH118 - bytes
    if not os.path.isdir(top):  # noqa: PTH112
        yield from filter(None, [_look(top, folder_key, may_follow)])
        return
    prefix = f"{folder_key}/" if folder_key else ""
    open_folders = [(_listing(top, prefix, after), _identity(top))]
    while open_folders:
        entry = next(open_folders[-1][0], None)
        if entry is None:
            open_folders.pop()
        elif isinstance(entry, Entry):
            yield entry
        elif entry[2]:  # a folder
            path, key, _ = entry
            identity = _identity(path)
            loops = any(identity == above for _, above in open_folders)
            if not loops and (not os.path.islink(path) or may_follow(os.path.realpath(path))):  # noqa: PTH114
                open_folders.append((_listing(path, f"{key}/", after), identity))
        else:
            seen = _look(entry[0], entry[1], may_follow)
            if seen:
                yield seen


def _listing(folder: bytes, prefix: str, after: str) -> Iterator[Entry | tuple[bytes, str, bool]]:
    """The entries of a folder behind `after`, as (path, key, is a folder); or what kept it from being listed."""
    try:
        with os.scandir(folder) as listing:
            names = sorted((entry.name + (b"/" if _is_folder(entry) else b""), entry.path) for entry in listing)
    except OSError as error:
        if prefix > after:
            yield Entry(prefix, Sight.UNREADABLE, reason=error.strerror or "cannot be listed")
        return
    for name, path in names:
        is_folder = name.endswith(b"/")
        key = prefix + name.rstrip(b"/").decode("latin-1")
        if is_folder:
            inside = key + "/"
            passed = after > inside and not after.startswith(inside)
            if not passed and not name.startswith(b".") and path not in _PSEUDO_FOLDERS:
                yield path, key, True
        elif key > after and not name.startswith(b"._"):
            yield path, key, False


def _is_folder(entry: "os.DirEntry[bytes]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that loops
        return False


def _identity(path: bytes) -> tuple[int, int]:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return (-1, -1)
    return (found.st_dev, found.st_ino)


def _look(path: bytes, key: str, may_follow: Callable[[bytes], bool]) -> Entry | None:
    """What stands at a path that is not a folder; None when its name says it is no audio."""
    extension = os.path.splitext(path)[1].decode("latin-1").lower()  # noqa: PTH122
    if extension not in SUPPORTED and extension not in UNSUPPORTED:
        return None
    try:
        found = os.lstat(path)
        if stat.S_ISLNK(found.st_mode):
            if not may_follow(os.path.realpath(path)):
                return Entry(key, Sight.UNREADABLE, reason="a link that leads outside the allowed folders")
            found = os.stat(path)  # noqa: PTH116
    except OSError as error:
        return Entry(key, Sight.UNREADABLE, reason=error.strerror or "cannot be read")
    if not stat.S_ISREG(found.st_mode):
        return Entry(key, Sight.NOT_REGULAR)
    if extension in UNSUPPORTED:
        return Entry(key, Sight.UNSUPPORTED, found.st_size, found.st_mtime_ns, extension)
    return Entry(key, Sight.AUDIO, found.st_size, found.st_mtime_ns)
