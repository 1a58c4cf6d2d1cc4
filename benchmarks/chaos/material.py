"""A folder of short sounds, one in twenty of them hostile, whose bytes are new in every round."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.random import Generator

from benchmarks.material import RATE_HZ, make_old, one_shot

HOSTILE_EVERY = 20


@dataclass(frozen=True)
class Folder:
    """What a round asks for."""

    path: Path
    good: tuple[Path, ...]
    """Must be done."""
    bad: tuple[Path, ...]
    """Must be failures with a code."""


def folder(path: Path, count: int, seed: int) -> Folder:
    """Make it."""
    path.mkdir(parents=True)
    good, bad = [], []
    for number in range(count):
        dice = np.random.default_rng([seed, number])
        if number % HOSTILE_EVERY == HOSTILE_EVERY - 1:
            file = path / f"hostile-{number:04d}.wav"
            file.write_bytes(HOSTILE[number // HOSTILE_EVERY % len(HOSTILE)](dice))
            bad.append(file)
        else:
            file = path / f"sound-{number:04d}.wav"
            soundfile.write(file, one_shot(dice), RATE_HZ, subtype="PCM_16")
            good.append(file)
        make_old(file)
    return Folder(path, tuple(good), tuple(bad))


def _no_sound(dice: Generator) -> bytes:
    return b"this is a shopping list " + dice.bytes(40)


def _nothing(_: Generator) -> bytes:
    return b""


def _header_alone(dice: Generator) -> bytes:
    return b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00" + dice.bytes(4)


def _noise_that_calls_itself_a_wave(dice: Generator) -> bytes:
    return b"RIFF" + dice.bytes(400)


HOSTILE: tuple[Callable[[Generator], bytes], ...] = (
    _no_sound, _nothing, _header_alone, _noise_that_calls_itself_a_wave,
)  # fmt: skip
