"""Key: tonic and mode, told by a small trained network that listens from each of the twelve tonics in turn."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.chroma import PITCH_CLASSES

Floats = NDArray[np.float32]

KEYS = tuple(f"{tonic} {mode}" for mode in ("major", "minor") for tonic in PITCH_CLASSES)
EDGE_FRAMES = 4.0
"""0.75 s: how fast the first and the last frames fade from the network's view of the beginning and the end."""
_SILENCE = 0.01
"""Frames below -40 dB at either end are not listened to."""
_LEVEL_DECADES = 2.0
_EPSILON = np.float32(1e-20)
_WEIGHTS = Path(__file__).parent / "weights" / "key.npz"


def key_probabilities(magnitudes: Floats) -> Floats:
    """How likely each of the 24 `KEYS` is.

    Every frame is heard relative to each of the twelve tonics by one shared layer, mixed with its neighbours, and
    pooled over time four ways: weighted by attention, strongest, around the beginning, around the end. What comes out
    for a tonic is how well major and minor fit; turning the sound by a semitone turns the answer with it. Trained by
    `benchmarks/training/key_train.py`, which also fits the temperature that makes the answer a probability (Guo et
    al., On calibration of modern neural networks, 2017).

    Parameters
    ----------
    magnitudes : float32 [frames, 5, 12] of `notes`

    Returns
    -------
    float32 [24], sum 1
    """
    seen, level = seen_by_network(magnitudes)
    frames, net = len(seen), _NETWORK
    heard = seen @ net.ear
    heard += net.ear_bias + level[:, None] * net.level
    np.maximum(heard, 0, out=heard)
    taps = (heard.reshape(frames * 12, -1) @ net.mix).reshape(frames, 12, 3, -1)
    mixed = np.asarray(taps[:, :, 1] + net.mix_bias, dtype=np.float32)
    mixed[1:] += taps[:-1, :, 0]
    mixed[:-1] += taps[1:, :, 2]
    np.maximum(mixed, 0, out=mixed)
    pooled = np.concatenate([_attended(mixed), mixed.max(axis=0), *_edges(mixed)], axis=1)
    judged = np.maximum(pooled @ net.judge + net.judge_bias, 0)
    fit = ((judged @ net.tell + net.tell_bias) / net.temperature).T.ravel()
    likely = np.exp(fit - fit.max())
    return np.asarray(likely / likely.sum())


def seen_by_network(magnitudes: Floats) -> tuple[Floats, Floats]:
    """Cut silence off and compress: every note as the square root of its share of the frame's strongest.

    Returns
    -------
    float32 [audible frames, 60], 0 to 1; and the level of each frame: 1 is the loudest, 0 is 40 dB below it
    """
    flat = magnitudes.reshape(len(magnitudes), -1)
    strongest = flat.max(axis=1)
    loudest = strongest.max() + _EPSILON
    audible = np.flatnonzero(strongest >= _SILENCE * loudest)
    if len(audible):
        kept = slice(audible[0], audible[-1] + 1)
        flat, strongest = flat[kept], strongest[kept]
    level = np.clip(1 + np.log10(strongest / loudest + np.float32(1e-9)) / np.float32(_LEVEL_DECADES), 0, 1)
    return np.sqrt(flat / (strongest[:, None] + _EPSILON)), level


def _attended(mixed: Floats) -> Floats:
    """Mean over the frames, weighted by how telling each is: [12, mixed]."""
    weight = 1 / (1 + np.exp(-(mixed @ _NETWORK.attend + _NETWORK.attend_bias)))
    weight = (weight + np.float32(1e-6)) / (weight + np.float32(1e-6)).sum(axis=0)
    return np.asarray(np.einsum("fcm,fc->cm", mixed, weight))


def _edges(mixed: Floats) -> tuple[Floats, Floats]:
    """Mean around the beginning and around the end: twice [12, mixed]."""
    fade = np.exp(-np.arange(len(mixed), dtype=np.float32) / np.float32(EDGE_FRAMES))
    fade /= fade.sum()
    flat = mixed.reshape(len(mixed), -1)
    return (fade @ flat).reshape(mixed.shape[1:]), (fade[::-1] @ flat).reshape(mixed.shape[1:])


@dataclass(frozen=True)
class _Network:
    """Weights as the sums above need them: `ear` is the shared layer once for each tonic, [60, 12 * hidden]."""

    ear: Floats
    ear_bias: Floats
    level: Floats
    mix: Floats
    mix_bias: Floats
    attend: Floats
    attend_bias: Floats
    judge: Floats
    judge_bias: Floats
    tell: Floats
    tell_bias: Floats
    temperature: Floats


def _load(path: Path) -> _Network:
    with np.load(path) as arrays:
        stored = {name: arrays[name].astype(np.float32) for name in arrays.files}
    # [hidden, 5, 12 degrees] -> [60, 12 tonics, hidden]: degree d above tonic t is pitch class t + d.
    turned = np.stack([np.roll(stored["ear"], tonic, axis=2) for tonic in range(12)])
    stored["ear"] = np.ascontiguousarray(turned.transpose(2, 3, 0, 1).reshape(-1, 12 * turned.shape[1]))
    stored["ear_bias"], stored["level"] = np.tile(stored["ear_bias"], 12), np.tile(stored["level"], 12)
    return _Network(**stored)


_NETWORK = _load(_WEIGHTS)


def camelot(key: str) -> str:
    """A key's place on the Camelot wheel, where neighbours mix well: "A minor" is "8A", "C major" is "8B"."""
    tonic, mode = key.split()
    pitch_class = PITCH_CLASSES.index(tonic)
    relative_major = pitch_class if mode == "major" else pitch_class + 3
    return f"{(7 * relative_major + 7) % 12 + 1}{'B' if mode == 'major' else 'A'}"
