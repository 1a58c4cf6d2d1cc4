"""Files to measure with. Seeded: the same numbers make the same bytes, and every file is old enough to be believed."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import soundfile
from numpy.random import Generator
from numpy.typing import NDArray

RATE_HZ = 44_100
FILES_PER_FOLDER = 1_000
AGE_S = 3_600
"""A file younger than the scan's settling time is looked at twice."""


def one_shots(folder: Path, count: int, seed: int = 7) -> list[Path]:
    """Unique drum-like and note-like sounds of 0.2 to 0.6 s, 16 bit, half of them stereo."""
    made = [_path(folder, number) for number in range(count)]
    for number, path in enumerate(made):
        soundfile.write(path, one_shot(np.random.default_rng([seed, number])), RATE_HZ, subtype="PCM_16")
        make_old(path)
    return made


def copies(folder: Path, count: int, contents: int, seed: int = 11) -> None:
    """Many short files of few distinct contents: known bytes are hashed and not measured again."""
    originals = [folder / f"content-{number}.wav" for number in range(contents)]
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(originals):
        soundfile.write(path, one_shot(np.random.default_rng([seed, number]))[:4_410], RATE_HZ, subtype="PCM_16")
        make_old(path)
    for number in range(contents, count):
        path = _path(folder, number)
        shutil.copyfile(originals[number % contents], path)
        make_old(path)


def empties(folder: Path, count: int) -> None:
    """Files with names of sounds and nothing in them: for what only looks at names, sizes and times."""
    for number in range(count):
        path = _path(folder, number)
        path.touch()
        make_old(path)


def one_shot(dice: Generator) -> NDArray[np.float32]:
    """A falling or steady tone under a burst of noise: float32 [samples, 1 or 2], peak 0.8."""
    t = np.arange(int(dice.uniform(0.2, 0.6) * RATE_HZ)) / RATE_HZ
    pitch_hz = dice.uniform(40, 1_200) * (1 + dice.uniform(0, 4) * np.exp(-t / 0.03))
    tone = np.sin(2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ) * np.exp(-t / dice.uniform(0.05, 0.3))
    hiss = dice.standard_normal((len(t), int(dice.integers(1, 3)))) * np.exp(-t / dice.uniform(0.01, 0.2))[:, None]
    sound = tone[:, None] + dice.uniform(0.05, 1.0) * hiss
    return np.asarray(0.8 * sound / np.abs(sound).max(), dtype=np.float32)


def _path(folder: Path, number: int) -> Path:
    home = folder / f"pack-{number // FILES_PER_FOLDER:03d}"
    if number % FILES_PER_FOLDER == 0 or not home.exists():
        home.mkdir(parents=True, exist_ok=True)
    return home / f"sound-{number:06d}.wav"


def make_old(path: Path) -> None:
    then = time.time() - AGE_S
    os.utime(path, (then, then))
