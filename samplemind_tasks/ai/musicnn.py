"""musicnn: a small network trained to tag music, in plain PyTorch.

Pons and Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging", 2019, and the graph of the
package musicnn 0.1.0. Front-end: filters as wide as a chord (38 and 67 mels by 7 frames) hear timbre, filters as long
as a beat (128, 64 and 32 frames of one mel) hear rhythm; each answers with its maximum over the mels. Mid-end: three
convolutions over time, each adding to the one before. Back-end: maximum and mean over time, two dense layers, 50 tags.

The shape differs from the original where the arithmetic is the same and the work is less:

- Upstream normalises (batch norm) 96 mels deep and then takes the maximum. Batch norm is a scale and a shift per
  channel, so the maximum can come first. Where the scale is negative the maximum of the product is the product of the
  *minimum*: there the converted filter is negated, and `signed` turns the sign back.
- The two batch norms around the dense layers are folded into them; dropout is gone.
- Upstream interleaves maximum and mean before the first dense layer; here its columns are sorted instead.
- A window that ends in silence (every one-shot's) goes through the front-end, nine tenths of all work, only as far as
  its sound can be heard in a filter. What lies behind is what the filters answer to silence, known since the weights
  were loaded. A sound of 0.4 s costs a third.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers.configuration_utils import PretrainedConfig
from transformers.modeling_utils import PreTrainedModel
from transformers.utils.generic import ModelOutput

MELS = 96
FRAMES = 187
TIMBRE_FILTERS = 204
TIMBRE_FRAMES = 7
TIMBRE_MELS = (38, 67)
RHYTHM_FILTERS = 51
RHYTHM_FRAMES = (128, 64, 32)
FRONT_CHANNELS = len(TIMBRE_MELS) * TIMBRE_FILTERS + len(RHYTHM_FRAMES) * RHYTHM_FILTERS
MID_CHANNELS = 64
MID_FRAMES = 7
MID_LAYERS = 3
POOLED_CHANNELS = FRONT_CHANNELS + MID_LAYERS * MID_CHANNELS
HIDDEN_UNITS = 200
BATCH_NORM_EPSILON = 1e-3


class MusicnnConfig(PretrainedConfig):  # type: ignore[no-untyped-call]
    """The names of the tags, in order, are `id2label`; everything else is fixed by the weights."""

    model_type = "samplemind_musicnn"


@dataclass
class MusicnnOutput(ModelOutput):
    """What the network makes of n windows."""

    probabilities: Tensor | None = None
    """float32 [n, tags], 0 to 1."""
    max_pool: Tensor | None = None
    """float32 [n, 753]: every channel's maximum over time, as upstream returns it."""
    vector: Tensor | None = None
    """float32 [n, 753]: max_pool in standard deviations from its mean over the music the network was trained on.
    Without this, a few channels with a large range decide every cosine."""


class Affine(nn.Module):
    """A scale and a shift for each channel: what batch norm is once training is over."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """[n, channels, ...] to the same shape."""
        per_channel = (-1,) + (1,) * (x.dim() - 2)
        return torch.addcmul(self.shift.view(per_channel), x, self.scale.view(per_channel))


class FrontEnd(nn.Module):
    """Filters over the log-mel window, each reduced to its maximum over the mels."""

    def __init__(self) -> None:
        super().__init__()
        self.level = Affine(1)
        self.timbre = nn.ModuleList(
            nn.Conv2d(1, TIMBRE_FILTERS, (TIMBRE_FRAMES, mels), bias=False) for mels in TIMBRE_MELS
        )
        self.rhythm = nn.ModuleList(nn.Conv2d(1, RHYTHM_FILTERS, (frames, 1), bias=False) for frames in RHYTHM_FRAMES)
        self.signed = Affine(FRONT_CHANNELS)
        self.normalise = Affine(FRONT_CHANNELS)
        self.silence: list[Tensor] = []
        """What each filter bank answers to silence: [1, filters, frames]."""

    def forward(self, log_mel: Tensor, heard: int) -> Tensor:
        """[n, frames, 96], silent from frame `heard` on, to [n, 561, frames]."""
        x = self.level(log_mel.unsqueeze(1))
        answers = self.answers(x, heard)
        whole = [
            torch.cat([answer, silence[:, :, answer.shape[2] :].expand(len(x), -1, -1)], 2)
            for answer, silence in zip(answers, self.silence, strict=True)
        ]
        strongest: Tensor = self.signed(torch.cat(whole, 1))
        passed: Tensor = self.normalise(functional.relu(strongest))
        return passed

    def answers(self, x: Tensor, heard: int) -> list[Tensor]:
        """What each filter bank makes of [n, 1, frames, mels] as far as the sound reaches: [n, filters, reached]."""
        # channels_last makes these two convolutions, most of the work, 1.7 times faster with the pooling
        wide = _reached(x, heard, TIMBRE_FRAMES).to(memory_format=torch.channels_last)
        timbre = [functional.max_pool2d(y := conv(wide), (1, y.shape[3])).squeeze(3) for conv in self.timbre]
        long = zip(self.rhythm, RHYTHM_FRAMES, strict=True)
        return timbre + [conv(_reached(x, heard, frames)).amax(3) for conv, frames in long]

    def hear_silence(self, frames: int) -> None:
        """Learn what every filter bank answers to silence."""
        silent = self.level(torch.zeros(1, 1, frames, MELS, device=self.level.scale.device))
        self.silence = self.answers(silent, frames)


def _reached(x: Tensor, heard: int, kernel_frames: int) -> Tensor:
    """What a filter must see of [n, 1, frames, mels] to answer wherever it hears the first `heard` frames.

    It keeps the length: TensorFlow pads with zeros, and puts the odd frame of an even kernel at the end.
    """
    before = (kernel_frames - 1) // 2
    behind = kernel_frames - 1 - before
    seen = min(heard + before, x.shape[2]) + behind
    return functional.pad(x[:, :, :seen], (0, 0, before, max(seen - x.shape[2], 0)))


class MidEnd(nn.Module):
    """Three convolutions over time; each adds to the one before, and all are passed on."""

    def __init__(self) -> None:
        super().__init__()
        widths = [FRONT_CHANNELS] + [MID_CHANNELS] * (MID_LAYERS - 1)
        self.convs = nn.ModuleList(
            nn.Conv1d(width, MID_CHANNELS, MID_FRAMES, padding=MID_FRAMES // 2) for width in widths
        )
        self.normalise = nn.ModuleList(Affine(MID_CHANNELS) for _ in widths)

    def forward(self, front: Tensor) -> Tensor:
        """[n, 561, frames] to [n, 753, frames]."""
        layers = [front]
        for conv, normalise in zip(self.convs, self.normalise, strict=True):
            heard = normalise(functional.relu(conv(layers[-1])))
            layers.append(heard if layers[-1] is front else heard + layers[-1])
        return torch.cat(layers, 1)


class MusicnnModel(PreTrainedModel):  # type: ignore[no-untyped-call]
    """Log-mel windows in, tag probabilities and vectors out. Call `hear_silence` once the weights are in place."""

    config_class = MusicnnConfig
    base_model_prefix = "musicnn"
    main_input_name = "input_features"
    skips_silence: ClassVar[bool] = True

    def __init__(self, config: MusicnnConfig) -> None:
        super().__init__(config)
        self.front = FrontEnd()
        self.mid = MidEnd()
        self.hidden = nn.Linear(2 * POOLED_CHANNELS, HIDDEN_UNITS)
        self.tags = nn.Linear(HIDDEN_UNITS, len(config.id2label or {}))
        self.standardise = Affine(POOLED_CHANNELS)
        self.post_init()  # type: ignore[no-untyped-call]

    def _init_weights(self, module: nn.Module) -> None:
        """Keep PyTorch's own start values: the weights are always loaded, never trained here."""

    @torch.inference_mode()
    def hear_silence(self) -> None:
        """Learn on the model's device what its front-end answers to silence."""
        self.front.hear_silence(FRAMES)

    def hear(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors [n, 753] and probabilities [n, tags]."""
        heard: MusicnnOutput = self(windows)
        assert heard.vector is not None and heard.probabilities is not None  # noqa: S101, PT018 - always given
        return heard.vector, heard.probabilities

    def forward(self, input_features: Tensor) -> MusicnnOutput:
        """Hear n windows.

        Parameters
        ----------
        input_features : float32 [n, heard, 96], log10(10000 * mel power + 1); `heard` is at most 187, and what
            follows up to 187 frames is silence

        Returns
        -------
        MusicnnOutput with probabilities [n, tags], max_pool [n, 753] and vector [n, 753].
        """
        heard = input_features.shape[1]
        whole = functional.pad(input_features, (0, 0, 0, FRAMES - heard))
        over_time = self.mid(self.front(whole, heard))
        max_pool = over_time.amax(2)
        hidden = functional.relu(self.hidden(torch.cat([max_pool, over_time.mean(2)], 1)))
        return MusicnnOutput(
            probabilities=torch.sigmoid(self.tags(hidden)), max_pool=max_pool, vector=self.standardise(max_pool)
        )


Variables = Mapping[str, NDArray[np.generic]]


def convert(variables: Variables) -> dict[str, Tensor]:
    """Turn the checkpoint's variables into the state of `MusicnnModel`.

    Parameters
    ----------
    variables : TensorFlow name to array; convolutions are [frames, mels, 1, filters], dense layers [inputs, outputs]

    Raises
    ------
    KeyError, ValueError when a variable is missing or has another shape.
    """
    state = {f"front.level.{name}": value for name, value in _batch_norm(variables, 0).items()}
    return {**state, **_front_state(variables), **_mid_state(variables), **_back_state(variables)}


def _front_state(variables: Variables) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    signs: list[Tensor] = []
    biases: list[Tensor] = []
    norms: list[dict[str, Tensor]] = []
    names = [f"timbre.{i}" for i in range(len(TIMBRE_MELS))] + [f"rhythm.{i}" for i in range(len(RHYTHM_FRAMES))]
    for i, name in enumerate(names):
        kernel, bias = _layer(variables, "conv2d", i)
        norm = _batch_norm(variables, i + 1)
        sign = torch.where(norm["scale"] < 0, -1.0, 1.0)
        state[f"front.{name}.weight"] = (kernel * sign).permute(3, 2, 0, 1).contiguous()
        signs.append(sign)
        biases.append(bias)
        norms.append(norm)
    state["front.signed.scale"] = torch.cat(signs)
    state["front.signed.shift"] = torch.cat(biases)
    for part in ("scale", "shift"):
        state[f"front.normalise.{part}"] = torch.cat([norm[part] for norm in norms])
    return state


def _mid_state(variables: Variables) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    first = len(TIMBRE_MELS) + len(RHYTHM_FRAMES)
    for i in range(MID_LAYERS):
        kernel, bias = _layer(variables, "conv2d", first + i)
        state[f"mid.convs.{i}.weight"] = kernel.squeeze(2).permute(2, 1, 0).contiguous()
        state[f"mid.convs.{i}.bias"] = bias
        for part, value in _batch_norm(variables, first + i + 1).items():
            state[f"mid.normalise.{i}.{part}"] = value
    return state


def _back_state(variables: Variables) -> dict[str, Tensor]:
    """Fold each batch norm into the dense layer after it: W (s x + t) + b = (W s) x + (W t + b)."""
    state: dict[str, Tensor] = {}
    norms = len(TIMBRE_MELS) + len(RHYTHM_FRAMES) + MID_LAYERS + 1
    maximum_then_mean = torch.arange(2 * POOLED_CHANNELS).view(POOLED_CHANNELS, 2).T.flatten()
    for i, name in enumerate(("hidden", "tags")):
        kernel, bias = _layer(variables, "dense", i)
        norm = _batch_norm(variables, norms + i)
        weight = kernel.T * norm["scale"]
        state[f"{name}.weight"] = (weight[:, maximum_then_mean] if i == 0 else weight).contiguous()
        state[f"{name}.bias"] = bias + kernel.T @ norm["shift"]
    mean, deviation = _moments(variables, norms)
    state["standardise.scale"] = 1 / deviation[::2]
    state["standardise.shift"] = -mean[::2] / deviation[::2]
    return {name: value.contiguous() for name, value in state.items()}


def _layer(variables: Variables, kind: str, number: int) -> tuple[Tensor, Tensor]:
    """Kernel and bias of the number-th layer of a kind, as TensorFlow counts them: conv2d, conv2d_1, ..."""
    name = f"{kind}_{number}" if number else kind
    return torch.tensor(variables[f"{name}/kernel"]), torch.tensor(variables[f"{name}/bias"])


def _moments(variables: Variables, number: int) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation that the number-th batch norm saw in training."""
    name = f"batch_normalization_{number}" if number else "batch_normalization"
    variance = torch.tensor(variables[f"{name}/moving_variance"])
    return torch.tensor(variables[f"{name}/moving_mean"]), torch.sqrt(variance + BATCH_NORM_EPSILON)


def _batch_norm(variables: Variables, number: int) -> dict[str, Tensor]:
    """Scale and shift of the number-th batch norm."""
    name = f"batch_normalization_{number}" if number else "batch_normalization"
    mean, deviation = _moments(variables, number)
    scale = torch.tensor(variables[f"{name}/gamma"]) / deviation
    return {"scale": scale, "shift": torch.tensor(variables[f"{name}/beta"]) - mean * scale}
