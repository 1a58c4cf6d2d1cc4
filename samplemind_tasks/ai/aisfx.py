"""aisfx: a small network trained to tell sound effects apart, in plain PyTorch.

Ma and Lerch, "Representation Learning for the Automatic Indexing of Sound Effects Libraries", ISMIR 2022; weights by
the authors under CC BY 4.0, in the package aisfx 0.1.2. Four blocks of two 3 x 3 convolutions; the first three halve
time and mels. The mean over the mels and the maximum over time are the vector.

The shape differs from the original where the arithmetic is the same and the work is less:

- Batch norm is folded into the convolution before it.
- A window that ends in silence (every one-shot's) is computed only as far as its sound can be heard in a layer. What
  lies behind is what the layer answers to silence, known since the weights were loaded. A sound of 0.4 s costs a third.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.configuration_utils import PretrainedConfig
from transformers.modeling_utils import PreTrainedModel
from transformers.utils.generic import ModelOutput

MELS = 96
FRAMES = 100
CHANNELS = (64, 128, 256, 512)
POOLED = (2, 2, 2, 1)
BATCH_NORM_EPSILON = 1e-5
PREFIX = "embedding_net."


class AisfxConfig(PretrainedConfig):  # type: ignore[no-untyped-call]
    """Everything is fixed by the weights."""

    model_type = "samplemind_aisfx"


@dataclass
class AisfxOutput(ModelOutput):
    """What the network makes of n windows."""

    vector: Tensor | None = None
    """float32 [n, 512]."""


class Layer(nn.Module):
    """A 3 x 3 convolution that keeps the size, and ReLU; reaches one frame further into silence than its input."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3)
        self.silence = torch.empty(0)
        """What comes in where there is silence: [1, channels_in, frames, mels]."""

    def forward(self, x: Tensor) -> Tensor:
        """[n, channels_in, heard, mels] to [n, channels_out, min(heard + 1, frames), mels]."""
        heard, frames = x.shape[2], self.silence.shape[2]
        behind = self.silence[:, :, heard : heard + 2].expand(len(x), -1, -1, -1)
        at_the_end = int(heard + 1 >= frames)
        padded = functional.pad(torch.cat([x, behind], 2), (1, 1, 1, at_the_end))
        return functional.relu(self.conv(padded))

    def hear_silence(self, silence: Tensor) -> Tensor:
        """Learn what comes in from silence, and say what comes out."""
        self.silence = silence.contiguous(memory_format=torch.channels_last)
        out: Tensor = self(self.silence)
        return out


class Block(nn.Module):
    """Two layers, then the maximum of 2 x 2."""

    def __init__(self, channels_in: int, channels_out: int, pooled: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Layer(channels_in, channels_out), Layer(channels_out, channels_out)])
        self.pooled = pooled
        self.silence = torch.empty(0)
        """What the second layer answers to silence."""

    def forward(self, x: Tensor) -> Tensor:
        """[n, channels_in, heard, mels] to [n, channels_out, less, mels / pooled]."""
        for layer in self.layers:
            x = layer(x)
        odd = x.shape[2] % self.pooled
        if odd and x.shape[2] < self.silence.shape[2]:
            x = torch.cat([x, self.silence[:, :, x.shape[2] :][:, :, :odd].expand(len(x), -1, -1, -1)], 2)
        return functional.max_pool2d(x, self.pooled) if self.pooled > 1 else x

    def hear_silence(self, silence: Tensor) -> Tensor:
        """Learn what every layer answers to silence, and say what comes out."""
        for layer in self.layers:
            silence = cast(Layer, layer).hear_silence(silence)
        self.silence = silence
        return functional.max_pool2d(silence, self.pooled) if self.pooled > 1 else silence


class AisfxModel(PreTrainedModel):  # type: ignore[no-untyped-call]
    """Log-mel windows in, vectors out. Call `hear_silence` once the weights are loaded and in place."""

    config_class = AisfxConfig
    base_model_prefix = "aisfx"
    main_input_name = "input_features"
    skips_silence: ClassVar[bool] = True

    def __init__(self, config: AisfxConfig) -> None:
        super().__init__(config)
        channels = zip((1, *CHANNELS), CHANNELS, POOLED, strict=False)
        self.blocks = nn.ModuleList(Block(into, out, pooled) for into, out, pooled in channels)
        self.silence = torch.empty(0)
        """The mean over the mels of what the last block answers to silence: [1, 512, 12]."""
        self.post_init()  # type: ignore[no-untyped-call]

    def _init_weights(self, module: nn.Module) -> None:
        """Keep PyTorch's own start values: the weights are always loaded, never trained here."""

    @torch.inference_mode()
    def hear_silence(self) -> None:
        """Run a window of silence through the network on its device, and keep what every layer makes of it."""
        silence = torch.zeros(1, 1, FRAMES, MELS, device=self.device, dtype=self.dtype)
        for block in self.blocks:
            silence = cast(Block, block).hear_silence(silence)
        self.silence = silence.mean(3)

    def hear(self, windows: Tensor) -> tuple[Tensor, None]:
        """Vectors [n, 512]; this network knows no words."""
        vector: Tensor = self(windows).vector
        return vector, None

    def forward(self, input_features: Tensor) -> AisfxOutput:
        """Hear n windows.

        Parameters
        ----------
        input_features : float32 [n, heard, 96], log10(10000 * mel power + 1) / 9.4578; `heard` is at most 100, and what
            follows up to 100 frames is silence

        Returns
        -------
        AisfxOutput with vector [n, 512].
        """
        x = input_features.unsqueeze(1).contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            x = block(x)
        over_time = x.mean(3)
        behind = self.silence[:, :, over_time.shape[2] :].expand(len(x), -1, -1)
        return AisfxOutput(vector=torch.cat([over_time, behind], 2).amax(2))


def convert(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Turn the checkpoint's tensors into the state of `AisfxModel`.

    Parameters
    ----------
    checkpoint : name to tensor; those of the classifiers trained beside the network are left aside

    Raises
    ------
    KeyError when a tensor is missing.
    """
    state: dict[str, Tensor] = {}
    for block in range(len(CHANNELS)):
        for layer in range(2):
            source = f"{PREFIX}conv_block{block + 1}."
            norm = {
                part: checkpoint[f"{source}bn{layer + 1}.{part}"]
                for part in ("weight", "bias", "running_mean", "running_var")
            }
            scale = norm["weight"] / torch.sqrt(norm["running_var"] + BATCH_NORM_EPSILON)
            weight = checkpoint[f"{source}conv{layer + 1}.weight"] * scale.view(-1, 1, 1, 1)
            target = f"blocks.{block}.layers.{layer}.conv."
            state[f"{target}weight"] = weight.contiguous()
            state[f"{target}bias"] = norm["bias"] - norm["running_mean"] * scale
    return state
