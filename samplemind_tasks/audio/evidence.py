"""What a file says about itself: chunks, tags, its name and folders. Kept apart from what is heard."""

from typing import BinaryIO

from samplemind_tasks.audio import chunks, names, tags
from samplemind_tasks.audio.peek import Peek
from samplemind_tasks.features import Evidence

_HEAD_BYTES = 40
_MOST = 16
"""A file that says more than this about itself is not believed further."""


def in_bytes(file: BinaryIO) -> tuple[Evidence, ...]:
    """Read what the chunks and tags of a file say about its tempo, key, pitch, beats and kind.

    At most 1 MB and 64 chunks are read, whatever the file claims. Nothing is checked against the sound.

    Parameters
    ----------
    file : open regular file, seekable; left at its start

    Returns
    -------
    Evidence from "acid", "smpl" (also `inst` and AIFF's `INST`), "basc" (also CAF's loop texts) and "tag", in that
    order of the file, the same thing once. A pitch from `acid` has no octave, see audio/chunks.py.

    Raises
    ------
    OSError : the file could not be read; damaged content raises nothing
    """
    try:
        peek = Peek(file)
        head = peek.at(0, _HEAD_BYTES)
        form = chunks.layout(head)
        parts = list(chunks.chunks(peek, form)) if form is not None else []
        said = list(chunks.evidence_in(peek, parts, form)) if form is not None else []
        said += tags.evidence_in(peek, head, parts)
        return tuple(dict.fromkeys(said))[:_MOST]
    finally:
        file.seek(0)


def in_name(path: str) -> tuple[Evidence, ...]:
    """Read what a file's name and its two nearest folders say, as producers write it: "Bass_Loop_128_Am.wav".

    Only what can hardly mean something else is read: a bare number or a lone letter says nothing. See audio/names.py.

    Parameters
    ----------
    path : with "/" or "\\" between folders; any text

    Returns
    -------
    Evidence from "name", then from "folder", nearest first, each thing at most once in each
    """
    return tuple(names.evidence_in(path))
