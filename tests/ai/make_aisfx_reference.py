"""Make aisfx_reference.npz: what the original network answers to three seeded windows.

Run once; the network is built here as its authors describe it (four blocks of two convolutions with batch norm, then
pooling), and loads their checkpoint as it is, without anything of `samplemind_tasks.ai.aisfx`:

    python tests/ai/make_aisfx_reference.py
"""

import importlib.metadata
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

HERE = Path(__file__).parent
FRAMES, MELS = 100, 96
SCALAR = (np.int64(0).__reduce__()[0], "numpy.core.multiarray.scalar")


class Block(nn.Module):
    """Two convolutions, each with batch norm and ReLU, then the maximum of 2 x 2."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.bn2 = nn.BatchNorm2d(channels_out)

    def forward(self, x: torch.Tensor, pooled: int) -> torch.Tensor:
        """[n, channels, frames, mels] to half of both."""
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.relu(self.bn2(self.conv2(x)))
        return functional.max_pool2d(x, pooled)


class Original(nn.Module):
    """Under the names of the checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_block1, self.conv_block2 = Block(1, 64), Block(64, 128)
        self.conv_block3, self.conv_block4 = Block(128, 256), Block(256, 512)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """[n, frames, mels] to [n, 512]."""
        x = windows[:, None]
        for block, pooled in (
            (self.conv_block1, 2),
            (self.conv_block2, 2),
            (self.conv_block3, 2),
            (self.conv_block4, 1),
        ):
            x = block(x, pooled)
        return x.mean(3).amax(2)


def original() -> Original:
    """The authors' weights in the authors' network."""
    path = Path(str(importlib.metadata.distribution("aisfx").locate_file("aisfx/models/checkpoint.pth")))
    with torch.serialization.safe_globals([SCALAR, np.dtype, np.dtypes.Int64DType]):
        weights, _ = torch.load(path, map_location="cpu", weights_only=True)
    network = Original()
    prefix = "embedding_net."
    network.load_state_dict({key.removeprefix(prefix): row for key, row in weights.items() if key.startswith(prefix)})
    return network.train(False)


def seeded_windows() -> np.ndarray:
    """float32 [3, 100, 96]: hiss, a chord with a beat, and a hit that dies away into silence."""
    dice = np.random.default_rng(2022)
    hiss = dice.integers(2, 8, (FRAMES, MELS)) / 16  # few levels, so that the file stays small
    chord = np.where(np.isin(np.arange(MELS), (12, 19, 24, 36)), 0.4, 0.05) * np.ones((FRAMES, 1))
    beat = np.exp(-(np.arange(FRAMES) % 31) / 6)[:, None] * np.linspace(0.3, 0.05, MELS)
    hit = np.maximum(0.5 - np.arange(FRAMES)[:, None] / 40, 0) * np.linspace(1, 0.2, MELS)
    return np.stack([hiss, chord + beat, hit]).astype(np.float16).astype(np.float32)


if __name__ == "__main__":
    heard = seeded_windows()
    with torch.inference_mode():
        vectors = original()(torch.from_numpy(heard)).numpy()
    np.savez_compressed(HERE / "aisfx_reference.npz", windows=heard.astype(np.float16), vectors=vectors)
