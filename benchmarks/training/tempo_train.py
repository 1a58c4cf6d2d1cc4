"""Train the network that chooses among candidate tempi, and say how right it is on families it has not seen.

    python -m benchmarks.training.tempo_train WEIGHTS.npz FOLDER [FOLDER ...]

The folders are what `tempo_material` wrote: 5,400 items for the weights in use. Needs torch; the product runs the
weights in numpy (samplemind_tasks/audio/tempo_model.py). Everything is seeded.
"""

import argparse
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.training.tempo_variation import varied
from samplemind_tasks.audio.rhythm import Onsets, onsets
from samplemind_tasks.audio.tempo_model import (
    CANDIDATES,
    FEWEST_ONSETS,
    Candidates,
    candidates,
    tempo_features,
)

RATE_HZ = 22_050
FOLDS = 5
UNEVEN_DRUMS = 2
"""Uneven versions of each take of drums; of everything else there is one."""
MEMBERS = 3
"""Networks whose probabilities are averaged: so many of rendered sounds, and so many that heard uneven playing too."""
HIDDEN, HIDDEN_2, HIDDEN_WHOLE = 32, 24, 16
INPUT_DROPOUT, DROPOUT = 0.1, 0.3
EPOCHS = 40
BATCH = 128
LEARNING_RATE, WEIGHT_DECAY = 4e-3, 3e-3
STRETCH = 0.1
"""Deviation of the logarithm of the factor by which every sound is played faster or slower in each epoch."""
NO_TRUTH = {"none scatter", "none swell", "none crackle"}
"""Families that are not learned: a person may well tap to events at random times."""
USUAL_BPM, USUAL_LOG = 106.0, 0.33
"""Centre and deviation of the tempi of popular music; scores are drawn evenly and stay so."""
LEAST_WEIGHT, MOST_WEIGHT = 0.15, 4.0
CLIP = 5.0
SAME_TEMPO = 0.04
RELATIVES = (2.0, 3.0, 1 / 2, 1 / 3)


@dataclass(frozen=True)
class Example:
    """One sound: its candidates, its true tempo (0: none), and what it is a member of."""

    found: Candidates
    bpm: float
    group: str
    family: str


@dataclass(frozen=True)
class Table:
    """Examples as arrays, padded to equal numbers of candidates.

    Attributes
    ----------
    features : float32 [examples, candidates, features]
    exists : bool [examples, candidates]
    right : float32 [examples, candidates + 1]: 1 for each candidate within 4 % of the truth, the last is "no tempo"
    whole : float32 [examples, features of the whole sound]
    bpm : float32 [examples, candidates], 1 where none exists
    importance : float32 [examples], mean about 1
    """

    features: np.ndarray
    exists: np.ndarray
    right: np.ndarray
    whole: np.ndarray
    bpm: np.ndarray
    importance: np.ndarray

    def at(self, rows: np.ndarray) -> "Table":
        """Some of the examples."""
        return Table(*(array[rows] for array in vars(self).values()))

    def tensors(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What the network takes."""
        return torch.from_numpy(self.features), torch.from_numpy(self.exists), torch.from_numpy(self.whole)


def load(folders: list[Path]) -> tuple[list[Example], list[Example]]:
    """Measure every item of the folders, as it is and played unevenly; what has no candidates is left out."""
    rng = np.random.default_rng(5)
    plain: list[Example] = []
    uneven: list[Example] = []
    for path in (path for folder in folders for path in sorted(folder.glob("items-*.npz"))):
        with np.load(path) as item:
            signal = item["signal"].astype(np.float32) / 32768
            told = (float(item["bpm"]), str(item["group"]), str(item["family"]))
        found = onsets(signal, silent=not signal.any())
        if found.onset_count < FEWEST_ONSETS or told[2] in NO_TRUTH:
            continue
        plain += _examples(found, len(signal) / RATE_HZ, *told)
        if told[0] > 0:
            for _ in range(UNEVEN_DRUMS if told[1] == "drums" else 1):
                uneven += _examples(varied(found, rng), len(signal) / RATE_HZ, *told)
    return plain, uneven


def _examples(found: Onsets, duration_s: float, bpm: float, group: str, family: str) -> list[Example]:
    measured = candidates(found, duration_s) if found.onset_count >= FEWEST_ONSETS else None
    return [] if measured is None else [Example(measured, bpm, group, family)]


def table(examples: list[Example]) -> Table:
    """Put examples into arrays."""
    count, features, whole = len(examples), examples[0].found.features.shape[1], len(examples[0].found.whole)
    made = Table(
        np.zeros((count, CANDIDATES, features), np.float32),
        np.zeros((count, CANDIDATES), bool),
        np.zeros((count, CANDIDATES + 1), np.float32),
        np.zeros((count, whole), np.float32),
        np.ones((count, CANDIDATES), np.float32),
        importance(examples),
    )
    for row, example in enumerate(examples):
        bpm = example.found.bpm
        made.features[row, : len(bpm)] = example.found.features
        made.exists[row, : len(bpm)] = True
        made.whole[row] = example.found.whole
        made.bpm[row, : len(bpm)] = bpm
        if example.bpm > 0.0:
            made.right[row, : len(bpm)] = np.abs(bpm / example.bpm - 1.0) <= SAME_TEMPO
        else:
            made.right[row, CANDIDATES] = 1.0
    return made


def importance(examples: list[Example]) -> np.ndarray:
    """Weights that bring the tempi of drums, bands and riffs, drawn genre by genre, to how usual they are."""
    weight = np.ones(len(examples), np.float32)
    rows = np.array([row for row, example in enumerate(examples) if example.bpm > 0 and example.group != "score"], int)
    log_bpm = np.log([examples[row].bpm for row in rows])
    edges = np.log(np.arange(40.0, 280.0, 12.0))
    density, _ = np.histogram(log_bpm, edges, density=True)
    drawn = np.interp(log_bpm, (edges[1:] + edges[:-1]) / 2, density)
    usual = np.exp(-0.5 * ((log_bpm - np.log(USUAL_BPM)) / USUAL_LOG) ** 2) / USUAL_LOG / np.sqrt(2 * np.pi)
    weight[rows] = np.clip(usual / np.maximum(drawn, 1e-3), LEAST_WEIGHT, MOST_WEIGHT)
    return weight


class Network(torch.nn.Module):
    """Scores of the candidates and of "no tempo", from standardised features."""

    def __init__(self, material: Table) -> None:
        super().__init__()
        known = material.features[material.exists]
        scale = known.mean(0), known.std(0) + 1e-3, material.whole.mean(0), material.whole.std(0) + 1e-3
        self.mean, self.deviation, self.whole_mean, self.whole_deviation = (torch.from_numpy(one) for one in scale)
        linear, relu = torch.nn.Linear, torch.nn.ReLU
        self.candidate = torch.nn.Sequential(
            torch.nn.Dropout(INPUT_DROPOUT),
            *(linear(known.shape[1], HIDDEN), relu(), torch.nn.Dropout(DROPOUT)),
            *(linear(HIDDEN, HIDDEN_2), relu(), linear(HIDDEN_2, 1)),
        )
        self.nothing = torch.nn.Sequential(linear(len(self.whole_mean), HIDDEN_WHOLE), relu(), linear(HIDDEN_WHOLE, 1))

    def forward(self, features: torch.Tensor, exists: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
        """Log probabilities [examples, candidates + 1]."""
        standard = ((features - self.mean) / self.deviation).clamp(-CLIP, CLIP)
        scores = self.candidate(standard)[..., 0].masked_fill(~exists, -1e9)
        nothing = self.nothing(((whole - self.whole_mean) / self.whole_deviation).clamp(-CLIP, CLIP))
        return torch.log_softmax(torch.cat([scores, nothing], dim=1), dim=1)


def fit(material: Table, seed: int) -> Network:
    """Maximise the probability of the right candidates."""
    torch.manual_seed(seed)
    material = material.at(material.right.sum(axis=1) > 0)
    network = Network(material)
    features, exists, whole = material.tensors()
    bpm, right = torch.from_numpy(material.bpm), torch.from_numpy(material.right)
    weight = torch.from_numpy(material.importance)
    steps = EPOCHS * -(-len(right) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(right)).split(BATCH):
            told = network(stretched(features[rows], bpm[rows]), exists[rows], whole[rows])
            loss = -(weight[rows] * torch.logsumexp(told + torch.log(right[rows] + 1e-12), dim=1)).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def stretched(features: torch.Tensor, bpm: torch.Tensor) -> torch.Tensor:
    """The features of sounds played at another tempo: all but the tempo's own are counted in beats and stay."""
    factors = torch.exp(STRETCH * torch.randn(len(bpm), 1))
    tempo = torch.from_numpy(tempo_features((bpm * factors).numpy()).astype(np.float32))
    return torch.cat([features[..., : -tempo.shape[-1]], tempo], dim=-1)


def probabilities(networks: list[Network], material: Table) -> np.ndarray:
    """Mean over the networks: [examples, candidates + 1]."""
    with torch.no_grad():
        return np.mean([network(*material.tensors()).exp().numpy() for network in networks], axis=0)


def cross_validate(examples: list[Example], material: Table) -> np.ndarray:
    """Probabilities of every example by a network that has not seen its family."""
    fold = np.array([zlib.crc32(example.family.encode()) % FOLDS for example in examples])
    told = np.zeros_like(material.right)
    for held_out in range(FOLDS):
        network = fit(material.at(fold != held_out), seed=held_out)
        told[fold == held_out] = probabilities([network], material.at(fold == held_out))
    return told


def report(examples: list[Example], told: np.ndarray) -> None:
    """Print, for every group, how many tempi are right, right but for the metrical level, and refused."""
    rows: dict[str, list[tuple[bool, bool, bool]]] = {}
    for example, chances in zip(examples, told, strict=True):
        refused = bool(chances[-1] > chances[:-1].max())
        ratio = example.found.bpm[chances[: len(example.found.bpm)].argmax()] / max(example.bpm, 1e-9)
        exact = abs(ratio - 1.0) <= SAME_TEMPO
        related = exact or any(abs(ratio / relative - 1.0) <= SAME_TEMPO for relative in RELATIVES)
        rows.setdefault(example.group, []).append((exact and not refused, related and not refused, refused))
    print(f"{'group':8s} {'n':>5s} {'Acc1':>6s} {'Acc2':>6s} {'none':>6s}")
    for group, marks in sorted(rows.items()):
        print(f"{group:8s} {len(marks):5d}", *(f"{100 * share:6.1f}" for share in np.mean(marks, axis=0)))


def calibration(told: np.ndarray, right: np.ndarray) -> None:
    """Print how often a tempo is right that has this probability."""
    best = told[:, :-1].argmax(axis=1)
    chance, hit = told[np.arange(len(told)), best], right[np.arange(len(told)), best]
    for low, high in ((0.0, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 0.95), (0.95, 1.01)):
        inside = (chance >= low) & (chance < high)
        print(f"probability {low:.2f}-{high:.2f}: {inside.sum():5d} sounds, right {100 * hit[inside].mean():5.1f} %")


def weights(networks: list[Network]) -> dict[str, np.ndarray]:
    """Arrays by the names that tempo_model.py reads, the members of the ensemble along the first axis."""
    arrays: dict[str, list[np.ndarray]] = {}
    for network in networks:
        for name in ("mean", "deviation", "whole_mean", "whole_deviation"):
            arrays.setdefault(name, []).append(getattr(network, name).numpy())
        for part, layers in (("candidate", network.candidate), ("nothing", network.nothing)):
            for number, layer in enumerate(one for one in layers if isinstance(one, torch.nn.Linear)):
                arrays.setdefault(f"{part}_weight_{number}", []).append(layer.weight.detach().numpy().T)
                arrays.setdefault(f"{part}_bias_{number}", []).append(layer.bias.detach().numpy())
    return {name: np.stack(members).astype(np.float16) for name, members in arrays.items()}


def main() -> None:
    """Measure, cross-validate, fit to everything, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    examples, uneven = load(arguments.folders)
    material = table(examples)
    print(len(examples), "examples,", material.features.shape[2], "features")
    told = cross_validate(examples, material)
    report(examples, told)
    calibration(told, material.right)
    networks = [fit(material, seed=FOLDS + member) for member in range(MEMBERS)]
    material = table(examples + uneven)
    networks += [fit(material, seed=FOLDS + member) for member in range(MEMBERS)]
    np.savez_compressed(arguments.weights, **weights(networks))
    print(arguments.weights.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
