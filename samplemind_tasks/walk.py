"""Walking a folder in a fixed order, so that a walk can stop after any file and go on there.

The order is that of the bytes of the whole path, which is also the order of the places index: a slice of the walk and a
closed range of the index cover the same stretch of the folder. Sorting a directory by its names with "/" added to those
of folders gives that order.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
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
MOST_LINKS_DEEP = 2
"""Folders that link to one another would otherwise be walked in every order there is."""


class Sight(StrEnum):
    """What stands at a path."""

    FOLDER = "folder"
    """Its entries come next: a walk that finds no sounds gets on, too."""
    AUDIO = "audio"
    UNSUPPORTED = "unsupported"
    NOT_REGULAR = "not_regular"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Entry:
    """One path the walk came by."""

    key: str
    """The path below the root, one Latin-1 character a byte; a folder's ends with a slash."""
    sight: Sight
    size_bytes: int = 0
    mtime_ns: int = 0
    reason: str = ""


def is_decoded(key: str) -> bool:
    """Whether a name's extension is none of those we do not decode."""
    return os.path.splitext(key)[1].lower() not in UNSUPPORTED  # noqa: PTH122 - a key is no path of this system


def walk(root: bytes, folder_key: str, after: str, may_follow: Callable[[bytes], bool]) -> Iterator[Entry]:
    """Folders and audio below a folder (or the one file named), in key order, starting behind `after`.

    Parameters
    ----------
    root : absolute path the keys are relative to
    folder_key : key of the folder or file to walk; "" is the root itself
    after : the last key already seen, or ""
    may_follow : whether a path leads to where we may look; asked of every folder and of links

    Folders behind links are entered, two links deep, unless they lead back to a folder they lie in. Names beginning
    with "._" and folders beginning with "." are the file manager's own and passed over.
    """
    top = os.path.join(root, folder_key.encode("latin-1")) if folder_key else root  # noqa: PTH118 - bytes
    if not os.path.isdir(top):  # noqa: PTH112
        yield from filter(None, [_look(top, folder_key, may_follow)])
        return
    prefix = f"{folder_key}/" if folder_key else ""
    open_folders = [_Folder(_listing(top, prefix, after), _identity(top), links=0)]
    while open_folders:
        entry = next(open_folders[-1].entries, None)
        if entry is None:
            open_folders.pop()
        elif isinstance(entry, Entry):
            yield entry
        elif not entry[2]:
            yield from filter(None, [_look(entry[0], entry[1], may_follow)])
        elif folder := _entered(entry[0], f"{entry[1]}/", after, open_folders, may_follow):
            open_folders.append(folder)


@dataclass(frozen=True)
class _Folder:
    """A folder the walk is in."""

    entries: "Iterator[Entry | tuple[bytes, str, bool]]"
    identity: tuple[int, int]
    links: int
    """How many links the walk followed on its way here."""


def _entered(
    path: bytes, prefix: str, after: str, above: Sequence[_Folder], may_follow: Callable[[bytes], bool]
) -> _Folder | None:
    """The folder at a path, unless it may not be walked, or not again."""
    identity = _identity(path)
    links = above[-1].links + os.path.islink(path)  # noqa: PTH114
    loops = any(identity == folder.identity for folder in above)
    if loops or links > MOST_LINKS_DEEP or not may_follow(path):
        return None
    return _Folder(_listing(path, prefix, after), identity, links)


def _listing(folder: bytes, prefix: str, after: str) -> Iterator[Entry | tuple[bytes, str, bool]]:
    """The folder itself, then its entries, as (path, key, is a folder); or what kept it from being listed."""
    try:
        with os.scandir(folder) as listing:
            names = sorted((entry.name + (b"/" if _is_folder(entry) else b""), entry.path) for entry in listing)
    except OSError as error:
        if prefix > after:
            yield Entry(prefix, Sight.UNREADABLE, reason=error.strerror or "cannot be listed")
        return
    if prefix > after:
        yield Entry(prefix, Sight.FOLDER)
    for name, path in names:
        is_folder = name.endswith(b"/")
        key = prefix + name.rstrip(b"/").decode("latin-1")
        if is_folder:
            inside = key + "/"
            passed = after > inside and not after.startswith(inside)
            if not passed and not name.startswith(b"."):
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
            if not may_follow(path):
                return Entry(key, Sight.UNREADABLE, reason="a link that leads outside the allowed folders")
            found = os.stat(path)  # noqa: PTH116
    except OSError as error:
        return Entry(key, Sight.UNREADABLE, reason=error.strerror or "cannot be read")
    if not stat.S_ISREG(found.st_mode):
        return Entry(key, Sight.NOT_REGULAR)
    if extension in UNSUPPORTED:
        return Entry(key, Sight.UNSUPPORTED, found.st_size, found.st_mtime_ns, extension)
    return Entry(key, Sight.AUDIO, found.st_size, found.st_mtime_ns)
