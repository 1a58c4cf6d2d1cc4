"""Material as arrays: what `ears_extract` kept, brought to one row a sound, and how often each row is to be seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.ai.ears import COURSE_OF, NETWORKS, Part, raw
from samplemind_tasks.categories import LEAVES, Category

LEAF_NAMES = tuple(LEAVES)
NOTHING = len(LEAF_NAMES)
"""The answer for medleys: none of the leaves."""
_WINDOWS_OF = {"aisfx": "aisfx", "musicnn-mtt": "musicnn"}
_NOTHING_SHARE = 0.03

USUAL = {
    Category.KICK: 9, Category.SNARE: 9, Category.RIM: 3.5, Category.CLAP: 4.5, Category.CLOSED_HAT: 7.5,
    Category.OPEN_HAT: 4.5, Category.CRASH: 4.5, Category.RIDE: 3.5, Category.TOM: 6, Category.COWBELL: 2,
    Category.SHAKER: 2.5, Category.TAMBOURINE: 2, Category.CONGA: 3, Category.OTHER_PERCUSSION: 4, Category.BASS: 3.5,
    Category.SUB: 1.5, Category.LEAD: 2.5, Category.PAD: 2.5, Category.PLUCK: 2, Category.KEYS: 1.5,
    Category.PIANO: 1.5, Category.ORGAN: 1, Category.GUITAR: 2, Category.STRINGS: 1.5, Category.BRASS: 1.5,
    Category.WIND: 1.2, Category.BELL: 1.5, Category.VOCAL: 2, Category.FX: 1.8, Category.RISER: 1.2,
    Category.IMPACT: 1.2, Category.NOISE: 1.2, Category.DRUM_LOOP: 2.5, Category.MELODIC_LOOP: 2,
    Category.FULL_TRACK: 1.5,
}  # fmt: skip
"""How common the categories are among the files of a producer, about: a head that sees all leaves equally often calls
a rim shot a woodblock, because there are fourteen kinds of other percussion."""


@dataclass(frozen=True)
class Table:
    """One row a sound.

    Attributes
    ----------
    raw : float32 [sounds, raw], as `ears.raw`
    leaf : int [sounds], place in LEAF_NAMES or NOTHING
    pack, origin : str [sounds]
    """

    raw: NDArray[np.float32]
    leaf: NDArray[np.int64]
    pack: NDArray[np.str_]
    origin: NDArray[np.str_]

    def at(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Table":
        """Some of the sounds."""
        return Table(self.raw[rows], self.leaf[rows], self.pack[rows], self.origin[rows])


def load(paths: Sequence[Path]) -> Table:
    """Read files of `ears_extract`; silence is left out."""
    tables = [_load(path) for path in paths]
    columns = ([getattr(table, name) for table in tables] for name in ("raw", "leaf", "pack", "origin"))
    return Table(*(np.concatenate(column) for column in columns))


def _load(path: Path) -> Table:
    with np.load(path) as file:
        split = {name: np.cumsum(file[f"count {_WINDOWS_OF[name]}"])[:-1] for name in NETWORKS}
        answers = {name: np.split(file[f"answers {name}"].astype(np.float32), split[name]) for name in NETWORKS}
        windows = np.split(file[f"windows {_WINDOWS_OF[COURSE_OF]}"], split[COURSE_OF])
        leaf = np.array([LEAF_NAMES.index(name) if name else NOTHING for name in file["leaf"]])
        pack, origin = file["pack"], file["origin"]
    heard = np.array([one.any() for one in windows])
    rows = [
        raw({name: Part(windows[place], answers[name][place]) for name in NETWORKS}) for place in np.flatnonzero(heard)
    ]
    return Table(np.stack(rows), leaf[heard], pack[heard], origin[heard])


def chances(table: Table) -> NDArray[np.float64]:
    """How likely each row is to be drawn: categories as they are usual, within one the leaves and packs evened out."""
    drawn = np.zeros(len(table.leaf))
    for category, share in USUAL.items():
        leaves = [place for place, leaf in enumerate(LEAF_NAMES) if LEAVES[leaf] is category]
        counts = {place: np.sqrt((table.leaf == place).sum()) for place in leaves}
        total = max(sum(counts.values()), 1e-9)
        for place, count in counts.items():
            rows = table.leaf == place
            packs, sizes = np.unique(table.pack[rows], return_counts=True)
            for pack, size in zip(packs, sizes, strict=True):
                some = rows & (table.pack == pack)
                drawn[some] = share * count / total * np.sqrt(size) / np.sqrt(sizes).sum() / size
    nothing = table.leaf == NOTHING
    drawn[nothing] = _NOTHING_SHARE * drawn.sum() / max(int(nothing.sum()), 1)
    return np.asarray(drawn / drawn.sum())
