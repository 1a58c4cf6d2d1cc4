"""Hear windows: load a model, and turn the windows of a sound into one vector and its tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from samplemind_tasks.ai.musicnn import MELS, POOLED_CHANNELS, MusicnnConfig, MusicnnModel
from samplemind_tasks.ai.weights import load_state
from samplemind_tasks.errors import AudioError, FailureCode, ModelUnavailable
from samplemind_tasks.schemas import ModelCard, Tag

Windows = NDArray[np.float16]
"""float16 [n, frames, mels] log-mel windows of one sound, cut as the card's front-end says."""

WINDOWS_AT_ONCE = {"cpu": 1, "cuda": 32}
"""On a CPU the first layer's answers (16 MB a window) leave the caches as soon as two windows share a batch: measured
17 ms a window alone, 21 ms in a batch of 4, 30 ms in a batch of 8."""

SAME_SOUND_COSINE = 0.999
OTHER_SOUND_COSINE = 0.8


@dataclass(frozen=True)
class Heard:
    """What the model made of one sound."""

    vector: NDArray[np.float32]
    """[vector_size], length 1: the mean of the windows' vectors."""
    tags: list[Tag]
    """Every tag of the card, best first; the score is the mean over the windows. `tag_threshold` is the reader's."""


def load(card: ModelCard, cache_dir: Path, device: str = "auto", cpu_threads: int = 1) -> "Embedder":
    """Load the model, ready to hear. Works without a network; converts the weights on the first call ever.

    Parameters
    ----------
    cache_dir : folder for converted weights, made when missing
    device : auto (a GPU where there is one), cpu or cuda
    cpu_threads : for the whole process; one is right where several workers share a machine

    Raises
    ------
    ModelUnavailable when the weights are missing or wrong, or cuda was asked for and there is no GPU.
    """
    chosen = _choose(device)
    model = MusicnnModel(MusicnnConfig(id2label=dict(enumerate(card.tags))))
    try:
        model.load_state_dict(load_state(card, cache_dir))
    except RuntimeError as error:
        raise ModelUnavailable(f"The weights of {card.name} do not fit its row in models.toml: {error}") from error
    if card.vector_size != POOLED_CHANNELS or card.front_end.mels != MELS:
        raise ModelUnavailable(f"{card.name} turns {MELS} mels into {POOLED_CHANNELS} numbers; models.toml disagrees.")
    torch.set_num_threads(cpu_threads)
    torch.backends.cudnn.allow_tf32 = False  # vectors of CPU and GPU workers share a collection
    return Embedder(card, model.train(False).to(chosen), chosen)


def _choose(device: str) -> torch.device:
    has_gpu = torch.cuda.is_available()
    if device == "auto":
        return torch.device("cuda" if has_gpu else "cpu")
    if device == "cuda" and not has_gpu:
        raise ModelUnavailable("The device is set to cuda, but PyTorch sees no GPU here. Set it to auto or cpu.")
    if device not in WINDOWS_AT_ONCE:
        raise ModelUnavailable(f"There is no device {device!r}: it is auto, cpu or cuda.")
    return torch.device(device)


class Embedder:
    """A loaded model. Safe to share between threads."""

    def __init__(self, card: ModelCard, model: MusicnnModel, device: torch.device) -> None:
        self.card = card
        self.device = device
        self._model = model
        self._windows_at_once = WINDOWS_AT_ONCE[device.type]

    def embed(self, windows: Windows) -> Heard:
        """Hear one sound.

        Parameters
        ----------
        windows : float16 [n, frames, mels], n >= 1

        Raises
        ------
        AudioError with BAD_VECTOR when the windows or the model's answer are not finite.
        """
        heard = self.embed_many([windows])[0]
        if isinstance(heard, AudioError):
            raise heard
        return heard

    def embed_many(self, sounds: Sequence[Windows]) -> list[Heard | AudioError]:
        """Hear several sounds in full batches; a bad one is an AudioError in its place and never stops the others.

        Parameters
        ----------
        sounds : each float16 [n, frames, mels]; n may differ

        Raises
        ------
        ValueError when windows have another shape than the card's front-end cuts.
        """
        for windows in sounds:
            self._check_shape(windows)
        if not sounds:
            return []
        probabilities, vectors = self._hear(np.concatenate(sounds))
        ends = np.cumsum([len(windows) for windows in sounds])[:-1]
        return [
            self._sum_up(*of_one)
            for of_one in zip(sounds, np.split(probabilities, ends), np.split(vectors, ends), strict=True)
        ]

    def self_test(self) -> None:
        """Hear noise twice and a tone once.

        Raises
        ------
        ModelUnavailable when the same sound is not the same, or two different ones are: the weights are dead.
        """
        noise, tone = _test_windows(self.card.front_end.frames, self.card.front_end.mels)
        try:
            first, again, other = (self.embed(windows).vector for windows in (noise, noise, tone))
        except AudioError as error:
            raise ModelUnavailable(f"{self.card.name} failed its self-test: {error.message}") from error
        same, apart = float(first @ again), float(first @ other)
        if same < SAME_SOUND_COSINE or apart > OTHER_SOUND_COSINE:
            raise ModelUnavailable(
                f"{self.card.name} failed its self-test: the cosine of the same noise twice is {same:.4f} "
                f"and of noise and a tone {apart:.4f}."
            )

    def _check_shape(self, windows: Windows) -> None:
        front_end = self.card.front_end
        if windows.ndim != 3 or windows.shape[1:] != (front_end.frames, front_end.mels):
            raise ValueError(f"windows are {windows.shape}, not [n, {front_end.frames}, {front_end.mels}]")

    def _hear(self, windows: Windows) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities [n, tags] and vectors [n, vector_size] of every window."""
        probabilities = np.empty((len(windows), len(self.card.tags)), np.float32)
        vectors = np.empty((len(windows), self.card.vector_size), np.float32)
        for start in range(0, len(windows), self._windows_at_once):
            batch = slice(start, start + self._windows_at_once)
            with torch.inference_mode():
                heard = self._model(torch.from_numpy(windows[batch]).to(self.device).float())
                probabilities[batch] = heard.probabilities.cpu().numpy()
                vectors[batch] = heard.vector.cpu().numpy()
        return probabilities, vectors

    def _sum_up(
        self, windows: Windows, probabilities: NDArray[np.float32], vectors: NDArray[np.float32]
    ) -> Heard | AudioError:
        """Join the windows of one sound."""
        if not len(windows):
            return AudioError(FailureCode.BAD_VECTOR, "There is no window to hear.")
        vector = vectors.mean(axis=0)
        scores = probabilities.mean(axis=0)
        length = float(np.linalg.norm(vector))
        # The windows too: an infinite one can come out of the maxima as finite numbers that mean nothing.
        if not (np.isfinite(windows).all() and np.isfinite(scores).all() and np.isfinite(length) and length > 0):
            return AudioError(FailureCode.BAD_VECTOR, "The model answered with numbers that are not finite.")
        best_first = np.argsort(-scores, kind="stable")
        tags = [Tag(name=self.card.tags[i], score=float(scores[i])) for i in best_first]
        return Heard(vector / np.float32(length), tags)


def _test_windows(frames: int, mels: int) -> tuple[Windows, Windows]:
    """Noise and a tone as log-mel windows, each float16 [1, frames, mels]."""
    noise = np.random.default_rng(0).normal(2.5, 0.4, (1, frames, mels))
    tone = np.zeros((1, frames, mels))
    tone[:, :, mels // 4] = 4.0
    return noise.astype(np.float16), tone.astype(np.float16)
