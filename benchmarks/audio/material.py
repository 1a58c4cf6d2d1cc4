"""Real sounds: the corpus named by SAMPLEMIND_CORPUS, and what Debian's packages install.

Truth must come from the sound, so files are read as bytes and analysed without their names.
"""

import csv
import os
from dataclasses import dataclass
from pathlib import Path

HYDROGEN = Path("/usr/share/hydrogen/data/drumkits")
SONIC_PI = Path("/usr/share/sonic-pi/samples")
LMMS = Path("/usr/share/lmms/samples")
MUSIC = tuple(
    Path(folder)
    for folder in (
        "/usr/share/games/wesnoth/1.16/data/core/music",
        "/usr/share/games/warzone2100/music",
        "/usr/share/games/singularity/music",
        "/usr/share/hyperrogue/music",
    )
)
_SHORTEST_TRACK_BYTES = 600_000
"""Game music also comes as short stings; a track of Vorbis is larger than this."""


class Missing(Exception):
    """Material that is not on this machine, and which package or setting brings it."""


@dataclass(frozen=True)
class Truth:
    """A sound and what is known of it."""

    path: Path
    answer: str
    tier: str


def corpus(task: str) -> list[Truth]:
    """The rows of tempo/ or key/ of the corpus.

    Raises
    ------
    Missing
        where SAMPLEMIND_CORPUS names no such folder
    """
    folder = Path(os.environ.get("SAMPLEMIND_CORPUS", "/nowhere")) / task
    if not (folder / "truth.csv").is_file():
        raise Missing(f"SAMPLEMIND_CORPUS names no folder with {task}/truth.csv")
    column = {"tempo": "bpm", "key": "key"}[task]
    with (folder / "truth.csv").open(encoding="utf-8") as table:
        return [Truth(folder / row["file"], row[column], row["tier"]) for row in csv.DictReader(table)]


def sounds(folder: Path, package: str, most: int | None = None) -> list[Path]:
    """WAV and FLAC files below a folder, spread evenly if there are more than wanted.

    Raises
    ------
    Missing
        where there are none
    """
    found = sorted(path for suffix in ("wav", "flac", "ogg") for path in folder.rglob(f"*.{suffix}"))
    if not found:
        raise Missing(f"no sounds in {folder}: apt-get install {package}")
    return _spread(found, most)


def tracks(most: int | None = None) -> list[Path]:
    """Full tracks of Debian's game music.

    Raises
    ------
    Missing
        where there are none
    """
    found = sorted(path for folder in MUSIC for path in folder.rglob("*.ogg"))
    found = [path for path in found if path.stat().st_size > _SHORTEST_TRACK_BYTES]
    if not found:
        packages = "wesnoth-1.16-music warzone2100-music singularity-music hyperrogue-music"
        raise Missing(f"no game music: apt-get install {packages}")
    return _spread(found, most)


def _spread(paths: list[Path], most: int | None) -> list[Path]:
    return paths if most is None else paths[:: max(len(paths) // most, 1)][:most]
