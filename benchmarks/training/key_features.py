"""What the key finder's networks see of the training material, computed by the product's own code and kept on disk."""

import json
from pathlib import Path

import numpy as np

from samplemind_tasks.audio.chroma import notes, tuning_semitones
from samplemind_tasks.audio.partials import partials
from samplemind_tasks.audio.tonality import evidence

_RATE_HZ = 22_050


def of_signal(signal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the networks see of float32 [samples] at 22.05 kHz: `notes` float32 [frames, 5, 12], `evidence` [k]."""
    found = partials(signal)
    tuning = tuning_semitones(found)
    magnitudes = notes(found, tuning)
    return magnitudes, evidence(found, magnitudes, tuning)


def drum_takes(folder: Path, most: int) -> list[dict]:
    """Takes of drums alone that `tempo_material` rendered, spread over the folder: none has a key."""
    takes = []
    for path in sorted(folder.glob("items-*.npz")):
        with np.load(path) as item:
            if str(item["group"]) == "drums":
                takes.append(item["signal"].astype(np.float32) / 32768)
    sounds = [of_signal(take) for take in takes[:: max(len(takes) // most, 1)]]
    return [{"tonic": None, "family": "drum take", "notes": notes, "evidence": row} for notes, row in sounds]


def noises(count: int, seed: int) -> list[dict]:
    """White to brown noise, steady or swelling, up to two minutes of it, and lone clicks in silence: none has a key."""
    rng = np.random.default_rng(seed)
    sounds = []
    for number in range(count):
        samples = int(_RATE_HZ * np.exp(rng.uniform(np.log(0.3), np.log(120.0))))
        signal = _clicks(samples, rng) if number % 5 == 0 else _noise(samples, rng)
        notes, row = of_signal((signal * 0.5 / np.abs(signal).max()).astype(np.float32))
        sounds.append({"tonic": None, "family": "noise", "notes": notes, "evidence": row})
    return sounds


def _noise(samples: int, rng: np.random.Generator) -> np.ndarray:
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** rng.uniform(-0.3, 1.0)
    spectrum[0] = 0.0
    return np.fft.irfft(spectrum, samples) * np.linspace(rng.uniform(0.1, 1.0), rng.uniform(0.1, 1.0), samples)


def _clicks(samples: int, rng: np.random.Generator) -> np.ndarray:
    signal = np.zeros(samples)
    for start in rng.integers(0, samples, rng.integers(1, 6)):
        click = rng.standard_normal(rng.integers(1, 2000))
        click *= np.exp(-np.arange(len(click)) / rng.uniform(5, 500))
        signal[start : start + len(click)] += click[: samples - start]
    return signal + 1e-6 * rng.standard_normal(samples) * rng.integers(0, 2)


def load(folder: Path, seeds: list[int]) -> list[dict]:
    """Every sound of these shards: its label, `notes` float32 [frames, 5, 12] and `evidence` float32 [k]."""
    return [sound for seed in seeds for sound in _shard(folder, seed)]


def _shard(folder: Path, seed: int) -> list[dict]:
    labels = [json.loads(line) for line in (folder / f"shard_{seed}.jsonl").read_text().splitlines()]
    kept = folder / f"features_{seed}.npz"
    if not kept.exists():
        _extract(folder / f"shard_{seed}.raw", labels, kept)
    with np.load(kept) as arrays:
        magnitudes, frames, scalars = arrays["notes"], arrays["frames"], arrays["evidence"]
    ends = np.cumsum(frames)
    return [
        label | {"notes": magnitudes[end - count : end].astype(np.float32), "evidence": row}
        for label, end, count, row in zip(labels, ends, frames, scalars, strict=True)
    ]


def _extract(raw: Path, labels: list[dict], kept: Path) -> None:
    samples = np.memmap(raw, dtype=np.int16)
    start, magnitudes, scalars = 0, [], []
    for label in labels:
        signal = samples[start : start + label["samples"]].astype(np.float32) / 32_000
        start += label["samples"]
        for kept_of, told in zip((magnitudes, scalars), of_signal(signal), strict=True):
            kept_of.append(told)
    frames = np.array([len(one) for one in magnitudes])
    np.savez(kept, notes=np.concatenate(magnitudes).astype(np.float16), frames=frames, evidence=np.array(scalars))
