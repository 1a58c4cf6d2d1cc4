"""The one-shots with classes, and what the default model's networks hear in them. Names are never looked at.

`oneshots/truth.csv` of the corpus lists files that Debian packages install: package, path, class, group (kit).
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.ai.ears import Part
from samplemind_tasks.ai.network import Network
from samplemind_tasks.audio.decode import open_sound
from samplemind_tasks.audio.listen import listen
from samplemind_tasks.cards import FrontEnd
from samplemind_tasks.categories import Category

KITS, SAMPLES, DRUMS = "hydrogen-drumkits", "sonic-pi-samples", "lmms-common"
"""Packages: drum kits that nothing was trained on, the samples that were, and drums that nothing was trained on."""
_MOST_BYTES, _MOST_SECONDS = 1 << 28, 900.0
_SPELT = {"closed-hat": Category.CLOSED_HAT, "open-hat": Category.OPEN_HAT}


@dataclass(frozen=True)
class OneShot:
    """A file with its class.

    Attributes
    ----------
    package : the Debian package it comes from
    path : where the package installs it
    label : its class as truth.csv spells it
    group : its kit
    """

    package: str
    path: Path
    label: str
    group: str

    @property
    def category(self) -> Category | None:
        """The category of its class; None for a class that is none (synth, loop, tabla)."""
        return _SPELT.get(self.label) or next((category for category in Category if category == self.label), None)


def one_shots(corpus: Path) -> list[OneShot]:
    """The rows of truth.csv whose file is installed."""
    with (corpus / "oneshots" / "truth.csv").open(encoding="utf-8", newline="") as file:
        rows = [OneShot(row["package"], Path(row["path"]), row["class"], row["group"]) for row in csv.DictReader(file)]
    return [row for row in rows if row.path.exists()]


def queries(corpus: Path) -> list[tuple[str, str]]:
    """Every query of queries.csv and the class that counts as right."""
    with (corpus / "oneshots" / "queries.csv").open(encoding="utf-8", newline="") as file:
        return [(row["query"], row["class"]) for row in csv.DictReader(file)]


def parts(path: Path, front_ends: Sequence[FrontEnd], networks: Sequence[Network]) -> dict[str, Part]:
    """Decode a file as a CPU worker does, and let the networks hear its windows as an AI worker does."""
    with (
        path.open("rb") as file,
        open_sound(
            file, name="sound", max_bytes=_MOST_BYTES, max_duration_s=_MOST_SECONDS, max_seconds=_MOST_SECONDS
        ) as sound,
    ):
        windows = listen(sound, front_ends).windows
    return heard_by(windows, networks)


def heard_by(windows: Mapping[str, NDArray[np.float16]], networks: Sequence[Network]) -> dict[str, Part]:
    """Windows by front-end to parts by network."""
    found = {}
    for network in networks:
        assert network.card.front_end is not None, "a network that hears"
        cut = windows[network.card.front_end.name]
        found[network.card.name] = Part(cut, network.answer(cut).vectors)
    return found
