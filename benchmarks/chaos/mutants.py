"""Ten minutes of damaged files through the decode path: each is a result with a code, and only its reader may die."""

import io
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import soundfile
from numpy.random import Generator

from benchmarks.figures import Figure
from benchmarks.material import RATE_HZ, one_shot
from benchmarks.world import World
from samplemind_tasks.errors import FailureCode
from samplemind_tasks.measure import Outcome, measure_all, measure_file

SECONDS = 600.0
BATCH = 200
TIMEOUT_S = 20.0
CHILDREN = 2
SEED = 43
HEAD_BYTES = 512
"""Where formats say what they are: most damage is done here."""
FORMATS = (
    ("wav", "WAV", "PCM_16"), ("wav", "WAV", "PCM_24"), ("wav", "WAV", "FLOAT"), ("wav", "WAV", "DOUBLE"),
    ("wav", "WAV", "ULAW"), ("wav", "WAV", "MS_ADPCM"), ("wav", "WAV", "IMA_ADPCM"), ("wav", "WAVEX", "PCM_16"),
    ("flac", "FLAC", "PCM_16"), ("flac", "FLAC", "PCM_24"), ("ogg", "OGG", "VORBIS"), ("opus", "OGG", "OPUS"),
    ("mp3", "MP3", "MPEG_LAYER_III"), ("aiff", "AIFF", "PCM_16"), ("au", "AU", "PCM_16"), ("caf", "CAF", "PCM_16"),
    ("w64", "W64", "PCM_16"), ("rf64", "RF64", "PCM_16"),
)  # fmt: skip
EXTREMES = tuple(bytes.fromhex(text) for text in ("00", "ff", "7fffffff", "80000000", "ffffffff", "00000000", "ff7f"))


def mutants(world: World, seconds: float = SECONDS) -> list[Figure]:
    """Damage sounds in every format by dice, and have them measured."""
    folder, dice = world.folder / "mutants", np.random.default_rng(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    seeds, until = _seeds(dice), time.monotonic() + seconds
    told: Counter[str] = Counter()
    while time.monotonic() < until:
        paths = [_damaged(folder / f"{number}", seeds, dice) for number in range(BATCH)]
        for path, outcome in measure_all(paths, _measured, jobs=CHILDREN, timeout_s=TIMEOUT_S):
            code = outcome.code.value if outcome.code else "measured"
            told[code] += 1
            if outcome.code in (FailureCode.CRASHED, FailureCode.INTERNAL, FailureCode.TIMEOUT):
                _keep(Path(path.decode()), code, outcome.message)
        for path in paths:
            Path(path.decode()).unlink()
    faults = told[FailureCode.CRASHED.value] + told[FailureCode.INTERNAL.value]
    return [
        Figure(
            "mutants",
            f"{told.total():,} damaged files of {len(FORMATS)} formats in {seconds:.0f} s, {CHILDREN} children",
            ", ".join(f"{code} {count:,}" for code, count in told.most_common()),
            "every file has a result; no crash and no fault of ours",
            told.total() > 0 and faults == 0,
            {"outcomes": dict(told)},
        )
    ]


def _measured(path: bytes) -> Outcome:
    """As a worker does: what was not foreseen is a fault of ours, and costs this file alone."""
    _hush()
    try:
        return measure_file(path)
    except Exception as error:  # noqa: BLE001
        return Outcome(None, FailureCode.INTERNAL, f"{type(error).__name__}: {error}")


@cache
def _hush() -> None:
    """Decoders complain of each file, and this process has nothing else to say."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _seeds(dice: Generator) -> list[tuple[str, bytes]]:
    """Whole sounds, by the ending of their names."""
    made = []
    for suffix, container, coding in FORMATS:
        held = io.BytesIO()
        rate_hz = 48_000 if coding == "OPUS" else RATE_HZ
        soundfile.write(held, one_shot(dice)[:9_000], rate_hz, format=container, subtype=coding)
        made.append((suffix, held.getvalue()))
    return made


def _damaged(stem: Path, seeds: list[tuple[str, bytes]], dice: Generator) -> bytes:
    """A new file; the bytes of its path."""
    suffix, sound = seeds[int(dice.integers(len(seeds)))]
    other = seeds[int(dice.integers(len(seeds)))][1]
    for _ in range(int(dice.integers(1, 5))):
        damages: tuple[Callable[[bytes, Generator], bytes], ...] = (
            _flip, _overwrite, _overwrite, _insert, _cut_out, _truncate, _double, partial(_splice, other=other),
        )  # fmt: skip
        sound = damages[int(dice.integers(len(damages)))](sound, dice)
    path = stem.with_suffix(f".{suffix}")
    path.write_bytes(sound)
    return bytes(path)


def _place(sound: bytes, dice: Generator) -> int:
    end = min(HEAD_BYTES, len(sound)) if dice.random() < 0.7 else len(sound)
    return int(dice.integers(max(end, 1)))


def _flip(sound: bytes, dice: Generator) -> bytes:
    damaged = bytearray(sound or b"\0")
    damaged[_place(damaged, dice)] ^= 1 << int(dice.integers(8))
    return bytes(damaged)


def _overwrite(sound: bytes, dice: Generator) -> bytes:
    place, extreme = _place(sound, dice), EXTREMES[int(dice.integers(len(EXTREMES)))]
    return sound[:place] + extreme + sound[place + len(extreme) :]


def _insert(sound: bytes, dice: Generator) -> bytes:
    place = _place(sound, dice)
    return sound[:place] + dice.bytes(int(dice.integers(1, 64))) + sound[place:]


def _cut_out(sound: bytes, dice: Generator) -> bytes:
    place = _place(sound, dice)
    return sound[:place] + sound[place + int(dice.integers(1, 256)) :]


def _truncate(sound: bytes, dice: Generator) -> bytes:
    return sound[: int(dice.integers(len(sound) + 1))]


def _double(sound: bytes, dice: Generator) -> bytes:
    place = _place(sound, dice)
    return sound[:place] + sound[max(0, place - 128) :]


def _splice(sound: bytes, dice: Generator, other: bytes) -> bytes:
    place = _place(sound, dice)
    return sound[:place] + other[place:]


def _keep(path: Path, code: str, message: str) -> None:
    """A find is kept beside the others of this run, and told at once."""
    kept = path.parent / "kept"
    kept.mkdir(exist_ok=True)
    where = kept / f"{len(list(kept.iterdir()))}-{code}{path.suffix}"
    where.write_bytes(path.read_bytes())
    print(f"{where}: {message}", flush=True)
