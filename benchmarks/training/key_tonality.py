"""Trains what tells music from drums and noise.

`python -m benchmarks.training.key_tonality FOLDER OUT.npz SEEDS DRUMS`

FOLDER and SEEDS are of `key_material`, DRUMS is a folder of `tempo_material`.

Once the key network is trained: how certain it is, is part of the evidence.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.training.key_features import drum_takes, load, noises
from samplemind_tasks.audio.key import key_probabilities
from samplemind_tasks.audio.tonality import certainty

_HIDDEN, _STEPS = 16, 3000
_DRUM_TAKES, _NOISES = 1000, 600


def main(folder: Path, out: Path, seeds: list[int], drums: Path) -> None:
    """Fit a network of one hidden layer; the scaling of its inputs goes into its weights."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    sounds = [*load(folder, seeds), *drum_takes(drums, _DRUM_TAKES), *noises(_NOISES, seed=1)]
    inputs = np.array([np.append(s["evidence"], certainty(key_probabilities(s["notes"]))) for s in sounds])
    has_key = torch.tensor([float(sound["tonic"] is not None) for sound in sounds])
    # Drums and music weigh the same.
    weight = torch.where(has_key == 1, 0.5 / has_key.mean(), 0.5 / (1 - has_key.mean()))
    mean, deviation = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
    scaled = torch.tensor((inputs - mean) / deviation)
    network = nn.Sequential(nn.Linear(inputs.shape[1], _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, 1))
    optimiser = torch.optim.AdamW(network.parameters(), 1e-2, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _STEPS)
    for _ in range(_STEPS):
        loss = nn.functional.binary_cross_entropy_with_logits(network(scaled)[:, 0], has_key, weight)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    listen = network[0].weight.detach().numpy().T / deviation[:, None]
    np.savez_compressed(
        out,
        listen=listen.astype(np.float32),
        listen_bias=network[0].bias.detach().numpy() - mean @ listen,
        tell=network[2].weight.detach().numpy()[0],
        tell_bias=network[2].bias.detach().numpy()[0],
    )
    told = torch.sigmoid(network(scaled)[:, 0]).detach().numpy()
    for family in sorted({sound["family"] for sound in sounds}):
        of = np.array([sound["family"] == family for sound in sounds])
        print(family, " ".join(f">{at}: {np.mean(told[of] > at):.3f}" for at in (0.2, 0.35, 0.5, 0.7, 0.85)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), [int(seed) for seed in sys.argv[3].split(",")], Path(sys.argv[4]))
