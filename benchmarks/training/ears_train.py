"""Fits the ears: python -m benchmarks.training.ears_train CACHE samplemind_tasks/ai/weights/ears.npz [--folds FILE]

CACHE is what `ears_extract` filled. Prints how often sounds of packs that were left out are told rightly, and fits the
temperature and the threshold of "unsure" to those. FILE gets networks that were fitted without a fifth of the named
samples each, so that these can be scored by ears that were not told what they are.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.optimize
import torch
from numpy.typing import NDArray

from benchmarks.training.ears_cache import LEAF_NAMES, Table, chances, load
from benchmarks.training.ears_folds import FOLDS, fold_of
from benchmarks.training.ears_network import LEARNED, Evidence, Network, evidence_of, fit
from samplemind_tasks.ai.course import SIZE as COURSE_SIZE
from samplemind_tasks.ai.ears import CLIP, Ears, Weights, read
from samplemind_tasks.categories import LEAVES, Category

Floats = NDArray[np.float32]

MEMBERS = 3
VECTOR_SIZE = 256
PART_SIZES = (512, 753, COURSE_SIZE)
GENERIC_WEIGHT = 0.8
LEAST_RIGHT = 0.2
"""Where fewer than one in five best categories of held-out packs are right (by chance 1 in 35), the answer is
"unsure"."""
_STEP = 0.04
SAMPLES = "sonic-pi"
FAMILIES = {
    "FluidR3_GM": "fonts", "MuseScore_General_Lite": "fonts", "synthesis": "synthesis", "machines": "synthesis",
    SAMPLES: "samples",
}  # fmt: skip
"""Packs that share too much to be held out apart: MuseScore General grew out of FluidR3."""
_CATEGORIES = tuple(Category)
_CATEGORY_OF = np.array([_CATEGORIES.index(LEAVES[leaf]) for leaf in LEAF_NAMES])


def scores(networks: Sequence[Network], evidence: Floats) -> NDArray[np.float64]:
    """What each network says: [networks, sounds, leaves + 1]."""
    with torch.no_grad():
        return np.stack([network(torch.from_numpy(evidence)).double().numpy() for network in networks])


def probabilities(told: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Mean over the networks: [sounds, leaves + 1]."""
    cooled = told / temperature
    cooled = np.exp(cooled - cooled.max(axis=2, keepdims=True))
    return np.asarray((cooled / cooled.sum(axis=2, keepdims=True)).mean(axis=0))


def held_out(table: Table) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sounds of the packs that can be left out (their rows), told by networks that have not heard those packs."""
    family = np.array([FAMILIES.get(pack, "") for pack in table.pack])
    rows, told = [], []
    for name in sorted(set(FAMILIES.values())):
        rest, out = (
            table.at(family != name),
            np.flatnonzero((family == name) & np.isin(table.leaf, table.leaf[family != name])),
        )
        evidence = evidence_of(rest, PART_SIZES)
        networks = [fit(evidence.of(rest.raw), rest, seed) for seed in range(2)]
        rows.append(out)
        told.append(scores(networks, evidence.of(table.raw[out])))
        category = by_category(probabilities(told[-1], 1.0))[0]
        right = category == _CATEGORY_OF[table.leaf[out]]
        print(f"{name:10} left out: {len(out):6} sounds, category right {100 * right.mean():.1f} %")
    return np.concatenate(rows), np.concatenate(told, axis=1)


def by_category(chance: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The best category and its probability."""
    summed = np.zeros((len(chance), len(_CATEGORIES)))
    for leaf, category in enumerate(_CATEGORY_OF):
        summed[:, category] += chance[:, leaf]
    return summed.argmax(axis=1), summed.max(axis=1)


def calibrated(told: NDArray[np.float64], leaf: NDArray[np.int64], weight: NDArray[np.float64]) -> tuple[float, float]:
    """The temperature that makes the probabilities of held-out sounds honest, and the threshold of "unsure"."""

    def loss(log_temperature: float) -> float:
        chance = probabilities(told, float(np.exp(log_temperature)))
        return float(-(weight @ np.log(chance[np.arange(len(leaf)), leaf] + 1e-9)) / weight.sum())

    found = scipy.optimize.minimize_scalar(loss, bounds=(-1.0, 1.5), method="bounded")
    temperature = float(np.exp(found.x))
    best, chance = by_category(probabilities(told, temperature))
    right = best == _CATEGORY_OF[leaf]
    threshold = 0.0
    for low in np.arange(0.04, 0.6, 0.02):
        near = (chance >= low) & (chance < low + _STEP)
        if near.any() and np.average(right[near], weights=weight[near]) < LEAST_RIGHT:
            threshold = float(low) + _STEP
    for low, high in ((0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.01)):
        near = (chance >= low) & (chance < high)
        if near.any():
            share, hits = near.mean(), np.average(right[near], weights=weight[near])
            print(f"probability {low:.1f} to {high:.1f}: {100 * share:5.1f} % of sounds, right {100 * hits:5.1f} %")
    return temperature, threshold


def fitted(table: Table, temperature: float, unsure_below: float) -> Weights:
    """Ears that have heard the whole table."""
    evidence = evidence_of(table, PART_SIZES)
    networks = [fit(evidence.of(table.raw), table, seed) for seed in range(MEMBERS)]
    return ears_of(evidence, networks, temperature, unsure_below)


def ears_of(evidence: Evidence, networks: Sequence[Network], temperature: float, unsure_below: float) -> Weights:
    """The weights as they ship."""
    generic = VECTOR_SIZE - len(networks) * LEARNED
    return Weights(
        LEAF_NAMES,
        *(getattr(evidence, name) for name in ("mean", "deviation", "share", "rotation", "centre")),
        **layers(networks),
        generic_scale=(1.0 / evidence.whitening[:generic]).astype(np.float32),
        generic_weight=GENERIC_WEIGHT, temperature=temperature, unsure_below=unsure_below,
    )  # fmt: skip


def layers(networks: Sequence[Network]) -> dict[str, Floats]:
    """Weights and biases of networks, stacked: see ears.Weights."""
    stacked = {}
    for name in ("hidden", "learned", "head"):
        stacked[name] = np.stack([getattr(network, name).weight.detach().numpy().T for network in networks])
        stacked[f"{name}_bias"] = np.stack([getattr(network, name).bias.detach().numpy() for network in networks])
    return stacked


def write_folds(table: Table, shipped: Weights, path: Path) -> None:
    """One network for each fold of the named samples, fitted to the shipped evidence without them."""
    raw = np.clip((table.raw - shipped.mean) / shipped.deviation, -CLIP, CLIP) * shipped.share
    evidence = raw @ shipped.rotation - shipped.centre
    fold = np.array([fold_of(str(origin)) for origin in table.origin])
    arrays = {}
    for number in range(FOLDS):
        rows = (table.pack != SAMPLES) | (fold != number)
        for name, array in layers([fit(evidence[rows], table.at(rows), number)]).items():
            arrays[f"{name} {number}"] = array.astype(np.float16)
    np.savez_compressed(path, **arrays)
    print(path, path.stat().st_size, "bytes")


def write(weights: Weights, path: Path) -> None:
    """Matrices as float16, which loses nothing; `Ears.load` reads it back."""
    arrays = {}
    for name, value in vars(weights).items():
        array = np.asarray(value)
        arrays[name] = array.astype(np.float16) if array.ndim > 1 else array
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(path, **arrays)
    print(path, path.stat().st_size, "bytes; vectors of", Ears.load(path).vector_size)


def main() -> None:
    """Judge on what is left out, calibrate, fit to everything, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--folds", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    table = load(sorted(arguments.cache.glob("round-*.npz")))
    print(len(table.leaf), "sounds")
    rows, told = held_out(table)
    temperature, unsure_below = calibrated(told, table.leaf[rows], chances(table)[rows])
    print(f"temperature {temperature:.2f}, unsure below {unsure_below:.2f}")
    write(fitted(table, temperature, unsure_below), arguments.weights)
    if arguments.folds is not None:
        write_folds(table, read(arguments.weights), arguments.folds)


if __name__ == "__main__":
    main()
