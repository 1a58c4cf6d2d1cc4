"""How well the default model hears and finds: neighbours, categories and texts on one-shots of known class.

Files are heard as workers hear them and their names looked at only where that is said. The corpus that
SAMPLEMIND_CORPUS names lists the files; Debian's packages hydrogen-drumkits, hydrogen-data, lmms-common and
sonic-pi-samples hold them.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.ears import categories, similarity, text
from benchmarks.ears.material import DRUMS, SAMPLES, OneShot, heard_by, one_shots, queries
from benchmarks.figures import Figure
from samplemind_tasks.ai.ears import WEIGHTS, Ears, Part, read
from samplemind_tasks.ai.embed import Embedder, load
from samplemind_tasks.ai.sentences import Sentences
from samplemind_tasks.audio.analyze import analyze
from samplemind_tasks.audio.decode import open_sound
from samplemind_tasks.audio.listen import listen
from samplemind_tasks.categories import UNSURE_BELOW
from samplemind_tasks.errors import AudioError
from samplemind_tasks.features import Features
from samplemind_tasks.model_table import network_cards
from samplemind_tasks.settings import Settings

Floats = NDArray[np.float32]

FIRST_BAR, PRECISION_BAR = 0.66, 0.68
CATEGORY_BAR = 0.65
TEXT_BAR, NAMED_BAR = 0.50, 0.90
KIT_ROWS = 567
"""Rows of drum kits in the whole list; with some packages missing the figures are others."""


class Missing(Exception):
    """The corpus or its packages are not here."""


@dataclass(frozen=True)
class Known:
    """A file and everything heard of it."""

    file: OneShot
    parts: dict[str, Part]
    vector: Floats
    tags: list[float]
    features: Features


def quality(models_dir: Path) -> list[Figure]:
    """Neighbours, categories and texts."""
    corpus = os.environ.get("SAMPLEMIND_CORPUS")
    if not corpus or not (Path(corpus) / "oneshots" / "truth.csv").exists():
        raise Missing("SAMPLEMIND_CORPUS names no folder with oneshots/")
    embedder = load(Settings().model_card, models_dir, "cpu")
    known = [heard for file in one_shots(Path(corpus)) if (heard := _heard(file, embedder)) is not None]
    ears = Ears.load()
    return [
        _neighbours([one for one in known if one.file.package.startswith("hydrogen")]),
        _category("category, drum kits", ears, [one for one in known if one.file.package.startswith("hydrogen")]),
        _category("category, LMMS drums", ears, [one for one in known if one.file.package == DRUMS], bar=None),
        *_texts(known, ears, queries(Path(corpus)), models_dir),
    ]


def _heard(file: OneShot, embedder: Embedder) -> Known | None:
    """Decode, hear and measure a file as the workers do; None where it cannot be decoded."""
    card = embedder.card
    try:
        with (
            file.path.open("rb") as bytes_,
            open_sound(
                bytes_, name=f"sound{file.path.suffix}", max_bytes=1 << 28, max_duration_s=900.0, max_seconds=900.0
            ) as sound,
        ):
            listened = listen(sound, card.front_ends)
    except AudioError:
        return None
    heard = embedder.embed(listened.windows)
    score_of = {tag.name: tag.score for tag in heard.tags}
    return Known(
        file,
        heard_by(listened.windows, embedder.networks),
        heard.vector,
        [score_of[name] for name in card.tags],
        analyze(listened).features,
    )


def _neighbours(known: Sequence[Known]) -> Figure:
    labels = np.array([one.file.label for one in known])
    groups = np.array([one.file.group for one in known])
    first, precision = similarity.neighbours(np.stack([one.vector for one in known]), labels, groups)
    others = {
        name: similarity.neighbours(vectors, labels, groups)
        for name, vectors in similarity.baselines([one.parts for one in known]).items()
    }
    told = ", ".join(f"{name} {one:.3f} / {ten:.3f}" for name, (one, ten) in others.items())
    return Figure(
        "neighbours",
        f"{len(known)} one-shots of drum kits that nothing was trained on, neighbours from other kits: share of "
        f"nearest ones of the same class / mean average precision of ten{_how_many(known)}",
        f"{first:.3f} / {precision:.3f}",
        f">= {FIRST_BAR:.2f} / {PRECISION_BAR:.2f}",
        first >= FIRST_BAR and precision >= PRECISION_BAR,
        {"first": first, "precision": precision, "others": others},
        told,
    )


def _how_many(known: Sequence[Known]) -> str:
    return "" if len(known) == KIT_ROWS else f" (the whole list has {KIT_ROWS}: a package is missing)"


def _category(name: str, ears: Ears, known: Sequence[Known], bar: float | None = CATEGORY_BAR) -> Figure:
    truth = [(one.parts, one.file.category) for one in known if one.file.category is not None]
    told = categories.accuracy(ears, [parts for parts, _ in truth], [wanted for _, wanted in truth])
    right = told["right"] / 100
    return Figure(
        name,
        f"{len(truth)} sounds; the head, never trained on them, answers any of 35 categories; unsure counts as wrong",
        f"{right:.3f} (unsure {told['unsure']:.0f} %)",
        f">= {bar:.2f}" if bar else "",
        right >= bar if bar else None,
        dict(told),
    )


def _texts(known: Sequence[Known], ears: Ears, asked: Sequence[tuple[str, str]], models_dir: Path) -> list[Figure]:
    names = [one.file.path.stem if one.file.package == SAMPLES else None for one in known]
    leaves = categories.cross_fitted(
        ears, categories.without_a_fold(read(WEIGHTS)), [one.parts for one in known], names
    )
    columns = text.columns(
        [one.features for one in known], leaves, np.array([one.tags for one in known], np.float32), UNSURE_BELOW
    )
    files = [one.file for one in known]
    sentences = Sentences.load(network_cards()["sentences"], models_dir)
    figures = []
    for name, bar, index in (("text, by sound", TEXT_BAR, None), ("text, with names", NAMED_BAR, text.names_of(files))):
        tags = Settings().model_card.tags
        found = text.precision(files, columns, asked, tags=tags, sentences=sentences, names=index)
        mean = float(np.mean(list(found.values())))
        figures.append(
            Figure(
                name,
                f"{len(asked)} queries over {len(files)} files: share of right ones among the first ten; heads "
                "cross-fitted where a file was trained on",
                f"{mean:.3f}",
                f">= {bar:.2f}",
                mean >= bar,
                dict(found),
            )
        )
    return figures
