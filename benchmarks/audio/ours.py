"""The analysis, as a worker runs it on one file."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from samplemind_tasks.audio.analyze import analyze
from samplemind_tasks.audio.decode import open_sound
from samplemind_tasks.audio.evidence import in_bytes
from samplemind_tasks.audio.files import open_regular
from samplemind_tasks.audio.listen import Heard, listen
from samplemind_tasks.cards import FrontEnd
from samplemind_tasks.features import Features
from samplemind_tasks.settings import Settings

_SETTINGS = Settings()


def hear(path: Path, front_ends: Sequence[FrontEnd] = ()) -> Heard:
    """Decode a file once."""
    with open_regular(path) as file:
        return _listen(file, front_ends)


def _listen(file: BinaryIO, front_ends: Sequence[FrontEnd] = ()) -> Heard:
    with open_sound(
        file,
        name="sound",
        max_bytes=_SETTINGS.max_file_bytes,
        max_duration_s=_SETTINGS.max_duration_s,
        max_seconds=_SETTINGS.analysis_seconds,
    ) as sound:
        return listen(sound, front_ends)


def features(path: Path) -> Features:
    """What the sound alone tells: neither its name nor its tags are looked at."""
    return analyze(hear(path)).features


def everything(path: Path) -> Features:
    """What a worker does with a file, its tags included, the models' windows left out."""
    with open_regular(path) as file:
        heard = _listen(file)
        return analyze(heard, in_bytes(file)).features
