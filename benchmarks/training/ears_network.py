"""The small networks of the ears: what they are, and how one is fitted to a table."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.training.ears_cache import LEAF_NAMES, NOTHING, Table, chances
from samplemind_tasks.ai.ears import CLIP

Floats = NDArray[np.float32]

HIDDEN, LEARNED, EVIDENCE = 320, 48, 256
EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY = 15, 512, 2e-3, 0.02
_INPUT_DROPOUT, _HIDDEN_DROPOUT, _NOISE = 0.1, 0.4, 0.7
_MIX = 0.3
"""Both parameters of the Beta distribution that examples are mixed by (Zhang et al., mixup, 2018)."""
_SMOOTHED = 0.05
_CONTRAST, _CONTRAST_TEMPERATURE, _OTHER_PACK_COUNTS = 0.5, 0.12, 3.0
_WHITENING = 0.4
"""1 would make every component of the evidence equally strong, 0 leaves them as they are."""
COURSE_SHARE = 1.3
"""Of the course beside each network's 1."""


@dataclass(frozen=True)
class Evidence:
    """How raw numbers become evidence: see ears.Weights."""

    mean: Floats
    deviation: Floats
    share: Floats
    rotation: Floats
    centre: Floats
    whitening: Floats

    def of(self, raw: Floats) -> Floats:
        """[n, raw] to [n, evidence]."""
        standard = np.clip((raw - self.mean) / self.deviation, -CLIP, CLIP) * self.share
        return np.asarray(standard @ self.rotation - self.centre, np.float32)


def evidence_of(table: Table, sizes: tuple[int, ...]) -> Evidence:
    """Standardise, weight the parts (of these sizes, the course last), rotate to the principal components."""
    mean, deviation = table.raw.mean(axis=0), table.raw.std(axis=0)
    deviation = deviation + 1e-3 * deviation.mean()
    weights = [*(1.0 for _ in sizes[:-1]), COURSE_SHARE]
    share = np.concatenate([np.full(size, weight / np.sqrt(size)) for size, weight in zip(sizes, weights, strict=True)])
    standard = np.clip((table.raw - mean) / deviation, -CLIP, CLIP) * share
    centre = standard.mean(axis=0)
    _, directions = np.linalg.eigh(np.cov((standard - centre).T))
    directions = directions[:, ::-1][:, :EVIDENCE]
    strength = ((standard - centre) @ directions).std(axis=0)
    whitening = 3.0 / (strength**_WHITENING * strength[0] ** (1 - _WHITENING))
    rotation = (directions * whitening).astype(np.float16).astype(np.float32)
    return Evidence(
        *(one.astype(np.float32) for one in (mean, deviation, share, rotation, centre @ rotation, whitening))
    )


class Network(nn.Module):
    """Evidence to a learned vector to scores of the leaves and of nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(EVIDENCE, HIDDEN)
        self.learned = nn.Linear(HIDDEN, LEARNED)
        self.head = nn.Linear(LEARNED, len(LEAF_NAMES) + 1)
        self.input_dropout, self.dropout = nn.Dropout(_INPUT_DROPOUT), nn.Dropout(_HIDDEN_DROPOUT)

    def embed(self, evidence: Tensor) -> Tensor:
        """[n, evidence] to [n, learned]."""
        learned: Tensor = self.learned(self.dropout(functional.gelu(self.hidden(self.input_dropout(evidence)))))
        return learned

    def forward(self, evidence: Tensor) -> Tensor:
        """[n, evidence] to scores [n, leaves + 1]."""
        scores: Tensor = self.head(functional.gelu(self.embed(evidence)))
        return scores


def fit(evidence: Floats, table: Table, seed: int, epochs: int = EPOCHS) -> Network:
    """Learn the leaves of a table whose evidence is [sounds, evidence]."""
    torch.manual_seed(seed)
    network, drawn = Network(), torch.from_numpy(chances(table))
    inputs, leaf = torch.from_numpy(evidence), torch.from_numpy(table.leaf)
    pack = torch.from_numpy(np.unique(table.pack, return_inverse=True)[1])
    steps = epochs * (len(leaf) // BATCH + 1)
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    mixing = torch.distributions.Beta(_MIX, _MIX)
    for _ in range(steps):
        rows = torch.multinomial(drawn, BATCH, replacement=True)
        heard = inputs[rows] + _NOISE * torch.randn(BATCH, EVIDENCE)
        loss = _told_apart(network, heard, leaf[rows], mixing) + _CONTRAST * _together(
            network.embed(heard), leaf[rows], pack[rows]
        )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return network.eval()


def _told_apart(network: Network, heard: Tensor, leaf: Tensor, mixing: torch.distributions.Beta) -> Tensor:
    """Cross-entropy of mixed examples."""
    right = functional.one_hot(leaf, NOTHING + 1).float()
    part = mixing.sample((len(leaf), 1))
    part = torch.maximum(part, 1 - part)
    other = torch.randperm(len(leaf))
    right = part * right + (1 - part) * right[other]
    right = right * (1 - _SMOOTHED) + _SMOOTHED / (NOTHING + 1)
    scores = network(part * heard + (1 - part) * heard[other])
    return -(right * functional.log_softmax(scores, 1)).sum(1).mean()


def _together(learned: Tensor, leaf: Tensor, pack: Tensor) -> Tensor:
    """Supervised contrast: sounds of one leaf close, those of other packs before all."""
    directions = functional.normalize(learned, dim=1)
    alike = (directions @ directions.T / _CONTRAST_TEMPERATURE).fill_diagonal_(-1e9)
    wanted = ((leaf[:, None] == leaf) & (leaf[:, None] != NOTHING)).float().fill_diagonal_(0)
    wanted = wanted * torch.where(pack[:, None] == pack, 1.0, _OTHER_PACK_COUNTS)
    has = wanted.sum(1) > 0
    told = (wanted * functional.log_softmax(alike, 1)).sum(1)[has] / wanted.sum(1)[has]
    return -told.mean()
