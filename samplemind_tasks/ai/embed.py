"""Hear sounds: load a model, and turn the windows of a sound into one vector, tags and categories."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from samplemind_tasks.ai.aisfx import AisfxConfig, AisfxModel
from samplemind_tasks.ai.clap import Clap, load_clap
from samplemind_tasks.ai.ears import Ears, Part
from samplemind_tasks.ai.musicnn import MusicnnConfig, MusicnnModel
from samplemind_tasks.ai.network import Answers, Network, Windows
from samplemind_tasks.ai.weights import load_state
from samplemind_tasks.ai.zero_shot import ZeroShot
from samplemind_tasks.cards import FrontEnd, ModelCard, NetworkCard
from samplemind_tasks.errors import AudioError, BadRequest, FailureCode, ModelUnavailable
from samplemind_tasks.schemas import Tag

SoundWindows = Mapping[str, Windows]
"""The windows of one sound, by the front-end that cut them: float16 [n, frames, mels] each."""

SAME_SOUND_COSINE = 0.999
OTHER_SOUND_COSINE = 0.8
OTHER_TEXT_COSINE = 0.9
"""laion/larger_clap_music was published with a dead text tower: any two texts had a cosine of .9993."""
TEST_TEXTS = ("a kick drum", "a choir singing in a church")


@dataclass(frozen=True)
class Heard:
    """What the model made of one sound."""

    vector: NDArray[np.float32]
    """[vector_size], length 1."""
    tags: list[Tag]
    """Every tag of the card, or the best of the user's own words, best first. `tag_threshold` is the reader's."""
    leaves: NDArray[np.float32] | None
    """Probabilities of categories.LEAVES, in their order; None where the model does not tell categories."""


def load(
    card: ModelCard, cache_dir: Path, device: str = "auto", cpu_threads: int = 1, words: Sequence[str] = ()
) -> "Embedder":
    """Load the model, ready to hear. Works without a network; converts the weights on the first call ever.

    Parameters
    ----------
    cache_dir : folder for converted weights, made when missing
    device : auto (a GPU where there is one), cpu or cuda
    cpu_threads : for the whole process; one is right where several workers share a machine
    words : somebody's own, which become tags where the model knows text

    Raises
    ------
    ModelUnavailable when the weights are missing or wrong, or cuda was asked for and there is no GPU.
    """
    chosen = choose_device(device)
    torch.set_num_threads(cpu_threads)
    torch.backends.cudnn.allow_tf32 = False  # vectors of CPU and GPU workers share a collection
    clap = next((load_clap(row, cache_dir, chosen) for row in card.networks if row.architecture == "clap"), None)
    networks = [
        Network(row, clap, chosen, clap.dtype)
        if clap and row.architecture == "clap"
        else _network(row, cache_dir, chosen)
        for row in card.networks
    ]
    ears = Ears.load() if card.joined == "ears" else None
    size = ears.vector_size if ears else card.networks[0].size
    if card.vector_size != size:
        raise ModelUnavailable(f"{card.name} makes vectors of {size} numbers; models.toml says {card.vector_size}.")
    if card.joint_text != (clap is not None):
        knows = "know" if clap else "do not know"
        raise ModelUnavailable(
            f"models.toml says joint_text = {card.joint_text} of {card.name}; its networks {knows} text."
        )
    return Embedder(card, networks, ears, chosen, clap, words)


def choose_device(name: str) -> torch.device:
    """The device that auto, cpu or cuda means here."""
    if name not in ("auto", "cpu", "cuda"):
        raise ModelUnavailable(f"There is no device {name!r}: it is auto, cpu or cuda.")
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise ModelUnavailable("The device is set to cuda, but PyTorch sees no GPU here.", code="no_gpu")
    return torch.device("cuda" if has_gpu and name != "cpu" else "cpu")


def _network(card: NetworkCard, cache_dir: Path, device: torch.device) -> Network:
    model = (
        AisfxModel(AisfxConfig())
        if card.architecture == "aisfx"
        else MusicnnModel(MusicnnConfig(id2label=dict(enumerate(card.tags))))
    )
    try:
        model.load_state_dict(load_state(card, cache_dir))
    except RuntimeError as error:
        raise ModelUnavailable(f"The weights of {card.name} do not fit its row in models.toml: {error}") from error
    model.train(False).to(device=device, memory_format=torch.channels_last)
    model.hear_silence()
    return Network(card, model, device)


class Embedder:
    """A loaded model. Safe to share between threads."""

    def __init__(
        self,
        card: ModelCard,
        networks: Sequence[Network],
        ears: Ears | None,
        device: torch.device,
        reader: Clap | None = None,
        words: Sequence[str] = (),
    ) -> None:
        self.card = card
        self.device = device
        self.networks = tuple(networks)
        self._ears = ears
        self._reader = reader
        self._zero_shot = ZeroShot(words, reader.read, reader.logit_scale) if reader and words else None

    def measure(self) -> None:
        """Choose every network's batch sizes by a measurement on this device."""
        for network in self.networks:
            network.measure()

    def embed(self, windows: SoundWindows) -> Heard:
        """Hear one sound.

        Raises
        ------
        AudioError with BAD_VECTOR when there is nothing to hear, or the windows or the answer are not finite.
        """
        heard = self.embed_many([windows])[0]
        if isinstance(heard, AudioError):
            raise heard
        return heard

    def embed_many(self, sounds: Sequence[SoundWindows]) -> list[Heard | AudioError]:
        """Hear several sounds in full batches; a bad one is an AudioError in its place and never stops the others.

        Parameters
        ----------
        sounds : the windows of each by front-end, [n, frames, mels]; n may differ

        Raises
        ------
        ValueError when windows have another shape than the card's front-ends cut.
        """
        if not sounds:
            return []
        by_network = [self._answers(network, sounds) for network in self.networks]
        return [
            self._sum_up(windows, dict(zip(self.networks, answers, strict=True)))
            for windows, answers in zip(sounds, zip(*by_network, strict=True), strict=True)
        ]

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Read texts into the space of the sounds.

        Returns
        -------
        float32 [n, vector_size], each of length 1

        Raises
        ------
        BadRequest when this model has sounds and no texts
        """
        if self._reader is None:
            raise BadRequest(f"The model {self.card.name} knows sounds only; a text has no vector in its space.")
        return self._reader.read(texts)

    def self_test(self) -> None:
        """Hear noise twice and a tone once; where the model knows text, read two.

        Raises
        ------
        ModelUnavailable when the same sound is not the same, or two different ones are: the weights are dead.
        """
        self._test_hearing()
        if self._reader is not None:
            self._test_reading(self._reader)

    def _test_hearing(self) -> None:
        noise, tone = self._test_windows()
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

    def _test_reading(self, reader: Clap) -> None:
        first, other, again = reader.read([*TEST_TEXTS, TEST_TEXTS[0]])
        same, apart = float(first @ again), float(first @ other)
        if not (same >= SAME_SOUND_COSINE and apart <= OTHER_TEXT_COSINE):
            raise ModelUnavailable(
                f"{self.card.name} failed its self-test: the cosine of the same text twice is {same:.4f} "
                f"and of two that have nothing in common {apart:.4f}."
            )

    def _answers(self, network: Network, sounds: Sequence[SoundWindows]) -> list[Answers]:
        """What a network makes of every sound, its windows in batches across the sounds."""
        cut = [windows[_front_end(network)] for windows in sounds]
        together = network.answer(np.concatenate(cut))
        ends = np.cumsum([len(windows) for windows in cut])[:-1]
        vectors, probabilities = np.split(together.vectors, ends), np.split(together.probabilities, ends)
        return [Answers(*of_one) for of_one in zip(vectors, probabilities, strict=True)]

    def _sum_up(self, windows: SoundWindows, answers: Mapping[Network, Answers]) -> Heard | AudioError:
        """Join what the networks made of one sound's windows."""
        try:
            _check([(row, windows[row.name]) for row in self.card.front_ends], answers.values())
            if self._ears is None:
                (only,) = answers.values()
                vector = _unit(only.vectors.mean(axis=0))
                return Heard(vector, self._zero_shot.tags(vector) if self._zero_shot else _tags(answers), None)
            parts = {
                network.card.name: Part(windows[_front_end(network)], answer.vectors)
                for network, answer in answers.items()
            }
            heard = self._ears.hear(parts)
        except AudioError as error:
            return error
        return Heard(heard.vector, _tags(answers), heard.leaves)

    def _test_windows(self) -> tuple[dict[str, Windows], dict[str, Windows]]:
        """Noise and a tone as every front-end of the card would cut them."""
        noise, tone = {}, {}
        for front_end in self.card.front_ends:
            shape, silence = (1, front_end.frames, front_end.mels), front_end.silence
            span = front_end.full_scale - silence
            drawn = np.random.default_rng(0).normal(silence + 0.6 * span, 0.1 * span, shape)
            noise[front_end.name] = drawn.astype(np.float16)
            tone[front_end.name] = np.full(shape, silence, np.float16)
            tone[front_end.name][:, :, front_end.mels // 4] = front_end.full_scale
        return noise, tone


def _front_end(network: Network) -> str:
    assert network.card.front_end is not None  # noqa: S101 - a network that hears
    return network.card.front_end.name


def _check(cuts: Collection[tuple[FrontEnd, Windows]], answers: Collection[Answers]) -> None:
    """Refuse silence, and what is not finite.

    The windows too: an infinite one can come out of a maximum as a finite number.
    """
    if not all(len(cut) for _, cut in cuts):
        raise AudioError(FailureCode.BAD_VECTOR, "There is no window to hear.")
    if not any((cut != front_end.silence).any() for front_end, cut in cuts):
        raise AudioError(FailureCode.SILENT, "There is nothing to hear: the sound is silent.")
    finite = all(np.isfinite(cut).all() for _, cut in cuts)
    if not finite or not all(np.isfinite(a.vectors).all() and np.isfinite(a.probabilities).all() for a in answers):
        raise AudioError(FailureCode.BAD_VECTOR, "The model answered with numbers that are not finite.")


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(vector)
    if not (np.isfinite(length) and length > 0):
        raise AudioError(FailureCode.BAD_VECTOR, "The model answered with a vector of no length.")
    return np.asarray(vector / length, np.float32)


def _tags(answers: Mapping[Network, Answers]) -> list[Tag]:
    """The mean over the windows of every tag's probability, best first."""
    tags = [
        Tag(name=name, score=float(score))
        for network, answer in answers.items()
        for name, score in zip(network.card.tags, answer.probabilities.mean(axis=0), strict=True)
    ]
    return sorted(tags, key=lambda tag: -tag.score)
