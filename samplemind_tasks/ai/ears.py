"""One ear out of two networks: the timbre vector of a sound, and what it probably is.

What aisfx and musicnn answer (the mean over a sound's windows) and how the sound goes (`course.py`) are standardised,
weighted and rotated to their principal components: the *evidence*. Small networks of two layers, trained on sounds with
known names (benchmarks/training/ears_train.py), turn it into a learned part, in which sounds of one name from different
makers lie together (supervised contrast, Khosla et al., 2020), and into probabilities of the leaves of
`categories.LEAVES`, calibrated by a temperature (Guo et al., 2017). The vector joins the learned part with the first
components of the evidence itself, so that sounds of kinds never trained on are still told apart.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, softmax

from samplemind_tasks.ai.course import course
from samplemind_tasks.categories import LEAVES, Category
from samplemind_tasks.errors import AudioError, FailureCode, ModelUnavailable

Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).parent / "weights" / "ears.npz"
NETWORKS = ("aisfx", "musicnn-mtt")
"""Whose answers are heard, in this order."""
COURSE_OF = "aisfx"
"""Whose windows show how the sound goes."""
CLIP = 4.0
"""Deviations beyond which a number says no more; as in training."""
_CATEGORIES = tuple(Category)


@dataclass(frozen=True)
class Part:
    """What one network was given of a sound, and what it made of it."""

    windows: NDArray[np.float16]
    """[n, frames, mels]"""
    answers: Floats
    """[n, size]"""


@dataclass(frozen=True)
class Heard:
    """What the ears make of one sound."""

    vector: Floats
    """[vector_size], length 1: close for sounds that sound alike."""
    leaves: Floats
    """[leaves], probabilities in the order of `Ears.leaves`; what is missing to 1 is "none of these"."""
    evidence: Floats
    """[evidence], what the probabilities are made of: the input for a head of one's own."""


@dataclass(frozen=True)
class Weights:
    """Frozen numbers, as benchmarks/training/ears_train.py leaves them.

    Attributes
    ----------
    leaves : names, in the order of the probabilities
    mean, deviation, share : [raw], of the joined answers and the course; how much each number counts
    rotation, centre : [raw, evidence], [evidence]
    hidden, hidden_bias : [members, evidence, hidden], [members, hidden]
    learned, learned_bias : [members, hidden, learned], [members, learned]
    head, head_bias : [members, learned, leaves + 1], [members, leaves + 1]
    generic_scale : [generic], of the first components of the evidence, which join the learned part in the vector
    generic_weight : length of that part beside the learned one's 1
    temperature, unsure_below : of the probabilities; a best category below this is no answer
    """

    leaves: tuple[str, ...]
    mean: Floats
    deviation: Floats
    share: Floats
    rotation: Floats
    centre: Floats
    hidden: Floats
    hidden_bias: Floats
    learned: Floats
    learned_bias: Floats
    head: Floats
    head_bias: Floats
    generic_scale: Floats
    generic_weight: float
    temperature: float
    unsure_below: float


class Ears:
    """Loaded weights. Safe to share between threads."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self.leaves = weights.leaves
        members, _, learned = weights.learned.shape
        self.vector_size = members * learned + len(weights.generic_scale)
        belongs = [[LEAVES[leaf] is category for category in _CATEGORIES] for leaf in weights.leaves]
        self._category_of = np.array(belongs, np.float32)

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "Ears":
        """Read the weights that ship with the package.

        Raises
        ------
        ModelUnavailable when they are missing, damaged, or know other leaves than categories.py
        """
        return cls(read(path))

    def hear(self, parts: Mapping[str, Part]) -> Heard:
        """Join what the networks made of one sound.

        Parameters
        ----------
        parts : by network, those of `NETWORKS`

        Raises
        ------
        AudioError with BAD_VECTOR for silence, and for what is not finite
        """
        weights = self._weights
        standard = np.clip((raw(parts) - weights.mean) / weights.deviation, -CLIP, CLIP) * weights.share
        evidence = standard @ weights.rotation - weights.centre
        hidden = _gelu(np.einsum("e,meh->mh", evidence, weights.hidden) + weights.hidden_bias)
        learned = np.einsum("mh,mhl->ml", hidden, weights.learned) + weights.learned_bias
        scores = np.einsum("ml,mlo->mo", _gelu(learned), weights.head) + weights.head_bias
        leaves = softmax(scores / weights.temperature, axis=1).mean(axis=0)[:-1]
        learned /= np.linalg.norm(learned, axis=1, keepdims=True) * np.sqrt(len(learned))
        generic = evidence[: len(weights.generic_scale)] * weights.generic_scale
        generic *= weights.generic_weight / max(float(np.linalg.norm(generic)), 1e-9)
        vector = np.concatenate([learned.ravel(), generic])
        length = float(np.linalg.norm(vector))
        if not (np.isfinite(length) and length > 0 and np.isfinite(leaves).all()):
            raise AudioError(FailureCode.BAD_VECTOR, "The ears answered with numbers that are not finite.")
        return Heard((vector / length).astype(np.float32), leaves.astype(np.float32), evidence.astype(np.float32))

    def category(self, leaves: Floats) -> tuple[Category | None, float]:
        """The most probable category and its probability; None, "unsure", where even that is not probable enough."""
        chances = leaves @ self._category_of
        best = int(chances.argmax())
        chance = float(chances[best])
        return (_CATEGORIES[best] if chance >= self._weights.unsure_below else None), chance


def raw(parts: Mapping[str, Part]) -> Floats:
    """What is known of a sound before any weight: the mean answers of each network, then the course: float32 [raw].

    Raises
    ------
    AudioError with BAD_VECTOR for silence, and for what is not finite
    """
    windows = parts[COURSE_OF].windows
    if not len(windows) or not np.isfinite(windows).all() or not windows.any():
        raise AudioError(FailureCode.BAD_VECTOR, "There is nothing to hear in the windows.")
    known = np.concatenate([*(parts[name].answers.mean(axis=0) for name in NETWORKS), course(windows)])
    if not np.isfinite(known).all():
        raise AudioError(FailureCode.BAD_VECTOR, "The model answered with numbers that are not finite.")
    return known.astype(np.float32)


def _gelu(x: Floats) -> Floats:
    return np.asarray(0.5 * x * (1.0 + erf(x / np.sqrt(2.0))), np.float32)


def read(path: Path) -> Weights:
    """Read weights.

    Raises
    ------
    ModelUnavailable when they are missing, damaged, or know other leaves than categories.py
    """
    mend = f"Install SampleMind again; in a clone, `git restore {path}`."
    try:
        with np.load(path) as file:
            weights = _weights({name: file[name] for name in file.files})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelUnavailable(f"The weights of the ears in {path} cannot be read: {error}. {mend}") from error
    if weights.leaves != tuple(LEAVES):
        raise ModelUnavailable(f"The weights of the ears in {path} know other leaves than this version. {mend}")
    return weights


def _weights(arrays: Mapping[str, NDArray[np.generic]]) -> Weights:
    """Check and widen what a file holds.

    Raises
    ------
    KeyError, ValueError when something is missing, not a finite number, or does not fit the rest
    """
    floats = {name: np.asarray(array, np.float32) for name, array in arrays.items() if name != "leaves"}
    for name, array in floats.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite")
    weights = Weights(
        leaves=tuple(str(leaf) for leaf in arrays["leaves"]),
        mean=floats["mean"],
        deviation=floats["deviation"],
        share=floats["share"],
        rotation=floats["rotation"],
        centre=floats["centre"],
        hidden=floats["hidden"],
        hidden_bias=floats["hidden_bias"],
        learned=floats["learned"],
        learned_bias=floats["learned_bias"],
        head=floats["head"],
        head_bias=floats["head_bias"],
        generic_scale=floats["generic_scale"],
        generic_weight=float(floats["generic_weight"]),
        temperature=float(floats["temperature"]),
        unsure_below=float(floats["unsure_below"]),
    )
    if weights.head.shape[2] != len(weights.leaves) + 1 or weights.rotation.shape[1] != weights.hidden.shape[1]:
        raise ValueError("the shapes do not fit each other")
    return weights
