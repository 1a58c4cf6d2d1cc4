"""One-shot, loop or track; and tempi claimed where there is none."""

import csv
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks.audio import ours
from benchmarks.audio.material import HYDROGEN, SONIC_PI, corpus, sounds, tracks
from benchmarks.figures import Figure
from samplemind_tasks.audio.analyze import analyze
from samplemind_tasks.audio.decode import Sound
from samplemind_tasks.audio.listen import listen
from samplemind_tasks.audio.warm import Samples
from samplemind_tasks.features import Features, Kind

_RATE_HZ = 44_100
_NOISES = 60


def kinds(quick: bool) -> list[Figure]:
    """How often the kind is right, by body of sounds."""
    most = 60 if quick else None
    bodies: dict[str, tuple[Kind, Iterable[Path]]] = {
        "hydrogen one-shots": (Kind.ONE_SHOT, _drum_one_shots(most)),
        "sonic-pi loops": (Kind.LOOP, [path for path in sounds(SONIC_PI, "sonic-pi-samples") if "loop_" in path.name]),
        "corpus loops": (Kind.LOOP, [row.path for row in corpus("tempo") if row.tier == "loop_len"]),
        "game music": (Kind.TRACK, tracks(20 if quick else None)),
    }
    right, total, by_body, tempi = 0, 0, {}, 0
    one_shots = 0
    for name, (kind, paths) in bodies.items():
        found = [ours.features(path) for path in paths]
        counts = Counter(row.kind for row in found)
        by_body[name] = {"right": counts[kind], "of": len(found)} | {str(other): n for other, n in counts.items()}
        right, total = right + counts[kind], total + len(found)
        if kind is Kind.ONE_SHOT:
            one_shots, tempi = len(found), sum(row.tempo_bpm is not None for row in found)
    noises = [_noise(seed) for seed in range(_NOISES // (4 if quick else 1))]
    claimed = tempi + sum(row.tempo_bpm is not None for row in noises)
    share = 100 * right / total
    false_tempi = 100 * claimed / (one_shots + len(noises))
    return [
        Figure(
            "kind",
            "right: " + ", ".join(f"{name} {row['right']}/{row['of']}" for name, row in by_body.items()),
            f"{share:.1f} %",
            ">= 95 %",
            share >= 95,
            {"bodies": by_body},
        ),
        Figure(
            "false tempo",
            f"a tempo claimed for {one_shots} one-shots and {len(noises)} plain noises",
            f"{false_tempi:.1f} %",
            "< 3 %",
            false_tempi < 3,
            {"one_shots": tempi, "noises": claimed - tempi},
        ),
    ]


def _drum_one_shots(most: int | None) -> list[Path]:
    """The listed drum hits of hydrogen-drumkits, or all of them where no list is there."""
    listed = Path(os.environ.get("SAMPLEMIND_CORPUS", "/nowhere")) / "oneshots" / "truth.csv"
    if not listed.is_file():
        return sounds(HYDROGEN, "hydrogen-drumkits", most)
    with listed.open(encoding="utf-8") as table:
        paths = [Path(row["path"]) for row in csv.DictReader(table) if row["package"] == "hydrogen-drumkits"]
    return [path for path in paths if path.is_file()][: most or None]


def _noise(seed: int) -> Features:
    """White to brown noise of 1 to 30 s, steady or fading."""
    rng = np.random.default_rng(seed)
    frames = int(rng.uniform(1, 30) * _RATE_HZ)
    spectrum = np.fft.rfft(rng.standard_normal(frames))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** rng.uniform(0, 1)
    signal = np.fft.irfft(spectrum, frames)
    signal *= np.linspace(1, rng.uniform(0, 1), frames) * rng.uniform(0.01, 0.9) / np.abs(signal).max()
    samples = np.ascontiguousarray(signal[:, None], dtype=np.float32)
    seconds = frames / _RATE_HZ
    return analyze(listen(Sound(Samples(samples, _RATE_HZ), "noise", seconds + 1, seconds + 1))).features
