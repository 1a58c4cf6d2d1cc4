"""Fits the kind model: python -m benchmarks.training.kind_train --fonts FLUID.sf2 MUSESCORE.sf3 [--samples FOLDER]

Loops and one-shots are made from the fonts and by synthesis; a folder of named one-shots and loops (sonic-pi's, CC0:
`loop_*` and the rest) joins them three times over. Prints how often held-out sounds are told rightly, how well the
confidence is calibrated, and the weights for audio/kind.py.
"""

import argparse
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import scipy.optimize
import soundfile
import soxr
from numpy.typing import NDArray

from benchmarks.training.kind_bank import Bank
from benchmarks.training.kind_loops import loop
from benchmarks.training.kind_shots import shot
from samplemind_tasks.audio.envelope import SILENCE, shape
from samplemind_tasks.audio.kind import TRACK_S
from samplemind_tasks.audio.kind_evidence import Evidence, evidence
from samplemind_tasks.audio.mono import RATE_HZ
from samplemind_tasks.audio.rhythm import onsets

Doubles = NDArray[np.float64]

SEED, COUNT, PARTS = 0, 4000, 5
_RIDGE = 1.5
_SAMPLES_WEIGHT = 3.0
_CONFIDENCES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.01)


@dataclass(frozen=True)
class Example:
    """The evidence in a sound, what it is, and where it comes from."""

    evidence: Evidence
    is_loop: bool
    family: str
    weight: float


def made(fonts: list[Path], count: int) -> Iterator[Example]:
    """Loops and one-shots in equal number."""
    random = np.random.default_rng(SEED)
    banks = [Bank(font) for font in fonts]
    for number in range(count):
        bank = banks[number // 2 % len(banks)]
        signal, family = loop(random, bank) if number % 2 else shot(random, bank)
        if np.abs(signal).max() > SILENCE:  # a cut may have left nothing
            yield _example(signal, number % 2 == 1, family, 1.0)


def named(folder: Path) -> Iterator[Example]:
    """The samples of a folder, told by their names."""
    for path in sorted(folder.glob("*.flac")):
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        signal = soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ)
        is_loop = path.name.startswith("loop_")
        if len(signal) < TRACK_S * RATE_HZ:
            yield _example(signal, is_loop, "named loops" if is_loop else "named one-shots", _SAMPLES_WEIGHT)


def _example(signal: NDArray[np.floating], is_loop: bool, family: str, weight: float) -> Example:
    signal = np.ascontiguousarray(signal, dtype=np.float32)
    found = evidence(shape(signal).amplitude, onsets(signal, silent=False).onset_times_s)
    return Example(found, is_loop, family, weight)


def fit(features: Doubles, is_loop: NDArray[np.bool_], weight: Doubles) -> Doubles:
    """Logistic regression with a ridge: float64 [features + 1], the bias last."""
    columns = np.column_stack([features, np.ones(len(features))])
    signs = np.where(is_loop, 1.0, -1.0)

    def loss(weights: Doubles) -> tuple[float, Doubles]:
        margins = signs * (columns @ weights)
        slopes = -signs * weight / (1.0 + np.exp(margins))
        ridge = np.append(weights[:-1], 0.0)
        return float(
            weight @ np.logaddexp(0.0, -margins) + _RIDGE * ridge @ ridge
        ), columns.T @ slopes + 2 * _RIDGE * ridge

    return np.asarray(scipy.optimize.minimize(loss, np.zeros(columns.shape[1]), jac=True, method="L-BFGS-B").x)


def judge(examples: list[Example], features: Doubles, is_loop: NDArray[np.bool_], weight: Doubles) -> None:
    """Print what models say of sounds that they were not fitted to."""
    part = np.random.default_rng(SEED).integers(0, PARTS, len(examples))
    log_odds = np.zeros(len(examples))
    for held_out in range(PARTS):
        weights = fit(features[part != held_out], is_loop[part != held_out], weight[part != held_out])
        log_odds[part == held_out] = features[part == held_out] @ weights[:-1] + weights[-1]
    right = (log_odds > 0) == is_loop
    confidence = 1.0 / (1.0 + np.exp(-np.abs(log_odds)))
    family = np.array([example.family for example in examples])
    for name in sorted(set(family)):
        print(f"{name:16} {np.count_nonzero(family == name):5} {100 * right[family == name].mean():6.1f} % right")
    for low, high in pairwise(_CONFIDENCES):
        within = (confidence >= low) & (confidence < high)
        print(f"sure {low:.1f} and more {np.count_nonzero(within):5} {100 * right[within].mean():6.1f} % right")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fonts", type=Path, nargs="+", required=True)
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--count", type=int, default=COUNT)
    arguments = parser.parse_args()
    examples = list(made(arguments.fonts, arguments.count))
    if arguments.samples is not None:
        examples += named(arguments.samples)
    raw = np.array([astuple(example.evidence) for example in examples])
    is_loop = np.array([example.is_loop for example in examples])
    weight = np.array([example.weight for example in examples])
    mean, deviation = raw.mean(axis=0), raw.std(axis=0) + 1e-9
    judge(examples, (raw - mean) / deviation, is_loop, weight)
    scaled = fit((raw - mean) / deviation, is_loop, weight)
    weights = scaled[:-1] / deviation
    print(f"_BIAS = {scaled[-1] - weights @ mean:.3f}")
    named_weights = zip(fields(Evidence), weights, strict=True)
    print(f"_WEIGHTS = Evidence({', '.join(f'{field.name}={value:.3f}' for field, value in named_weights)})")


if __name__ == "__main__":
    main()
